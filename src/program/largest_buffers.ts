// The largest buffers that a plan's program allocates, and the largest tensors that a kernel binds of them: what an
// adapter's limits are about.

import type { Plan } from "../plan/plan.ts";
import { listen } from "./listen.ts";
import { shorten } from "./repeats.ts";
import { phasePlan, servingPhases } from "./serving/phase_plan.ts";
import { oneOfAlike } from "./symmetry.ts";

export interface LargestBuffers {
  /** Bytes of one tensor, as a kernel binds it. */
  readonly binding: number;
  /** At most the bytes of one allocation, in which tensors may lie side by side. */
  readonly buffer: number;
}

/** Of all ranks; of serving in steps of either phase. */
export function largestBuffers(plan: Plan): LargestBuffers {
  const { mode, phase } = plan.workload;
  if (mode === "serving" && phase === undefined) {
    const parts = servingPhases.map((name) => largestBuffers(phasePlan(plan, name)));
    const most = (of: keyof LargestBuffers): number => Math.max(...parts.map((part) => part[of]));
    return { binding: most("binding"), buffer: most("buffer") };
  }
  let binding = 0;
  let buffer = 0;
  listen(shorten(oneOfAlike(plan).plan), {
    allocate(_rank, role, bytes) {
      buffer = Math.max(buffer, bytes);
      // Activations share allocations, and are told of one by one.
      if (role !== "activation" && role !== "input") binding = Math.max(binding, bytes);
    },
    retain(_rank, bytes) {
      binding = Math.max(binding, bytes);
    },
    add() {},
  });
  return { binding, buffer };
}
