// Pipelines of one rank per position, with equal stages.

import type { Plan, ScheduleName } from "../../src/plan/plan.ts";
import { linear, plan } from "./plans.ts";

const layer = (rank: number) => linear(8, 8, "replicated", [[rank]]);

/** p positions with v chunks of two layers each, m micro-batches of one sample. */
export const pipedPlan = (
  p: number,
  m: number,
  v = 1,
  schedule?: ScheduleName,
  mode: "inference" | "training" = "training",
): Plan =>
  plan(
    `${p} positions`,
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
