// Pipelines of one rank per pipeline rank, with equal stages.

import type { Plan, ScheduleName } from "../../src/plan/plan.ts";
import { linear, plan } from "./plans.ts";

function layer(rank: number) {
  return linear(8, 8, "replicated", [[rank]]);
}

/** p pipeline ranks with v chunks of two layers each, m micro-batches of one sample. */
export function pipedPlan(
  p: number,
  m: number,
  v = 1,
  schedule?: ScheduleName,
  mode: "inference" | "training" = "training",
): Plan {
  return plan(
    `${p} pipeline ranks`,
    p,
    Array.from({ length: p * v }, (_, s) => [layer(s % p), layer(s % p)]),
    {
      workload: {
        batch: m,
        microBatches: m,
        mode,
        ...(schedule === undefined ? {} : { schedule }),
      },
    },
  );
}
