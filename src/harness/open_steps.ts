// A plan's ranks, open and checked, that step when they are told to: for a process that takes turns with another.

import { discoverAdapters } from "../gpu/discover.ts";
import { namedAdapters, placeRanks } from "../gpu/placement.ts";
import type { Plan } from "../plan/plan.ts";
import { checkTimed, openChecked } from "./open_checked.ts";
import { usualStep } from "./serving/decode_curve.ts";
import type { RunOptions } from "./run_options.ts";
import { readFindings } from "./tuning.ts";

export interface OpenSteps {
  /** ms of each of so many further steps. */
  steps(count: number): Promise<number[]>;
  /** @throws NumericsError where a step left another result than the checked one */
  close(): Promise<void>;
}

/**
 * Kernels take the variants that earlier tuning found.
 *
 * @throws EnvironmentError where the machine is in the way
 * @throws NumericsError where the plan computes something else than it means
 */
export async function openSteps(
  plan: Plan,
  options: Pick<RunOptions, "adapter" | "placement">,
): Promise<OpenSteps> {
  const { adapters, refused } = await discoverAdapters(process.env, namedAdapters(options));
  const placement = placeRanks(plan.hardware.gpus, adapters, { ...options, refused });
  const open = await openChecked(plan, placement, {
    ...options,
    known: await readFindings(placement),
  });
  const { pool } = open;
  const served = plan.workload.mode === "serving" ? usualStep(plan) : undefined;
  let taken = 0;
  return {
    async steps(count) {
      taken += count;
      const traces =
        served === undefined
          ? await pool.steps(count)
          : await pool.serve(Array.from({ length: count }, () => served));
      return traces.map(({ wallMs }) => wallMs);
    },
    async close() {
      try {
        // What a step of serving leaves, the next one goes on from.
        if (served === undefined) await checkTimed(open, taken);
      } finally {
        await pool.close();
      }
    },
  };
}
