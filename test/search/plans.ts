// Small plans that a search can be tried on as a whole.

import { normalise } from "../../src/plan/normalise.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { PlanFile } from "../../src/plan/schema.ts";

export const peaks = { flops: 1e12, bandwidth: 1e11, linkBandwidth: 1e10 };
export const overheads = { latencyMs: 0.005, launchMs: 0.003 };

export const dense: PlanFile = {
  name: "dense",
  hardware: { gpus: 4, memoryPerGpu: "16MiB" },
  workload: { mode: "inference", batch: 8, microBatches: 2, sequence: 32 },
  model: { layers: 4, hidden: 64, heads: 4, ffn: 256, vocabulary: 512 },
  parallel: { tensor: 4 },
};

export const training: PlanFile = {
  ...dense,
  name: "training",
  workload: {
    mode: "training",
    batch: 4,
    microBatches: 2,
    sequence: 32,
    schedule: "1f1b",
    optimizer: { name: "adamw", learningRate: 0.001 },
  },
};

export const experts: PlanFile = {
  ...dense,
  name: "experts",
  workload: { mode: "inference", batch: 4, microBatches: 2, sequence: 32 },
  model: { layers: 2, hidden: 64, heads: 4, ffn: 128, moe: { experts: 8, topK: 2, ffn: 96 } },
  parallel: { tensor: 2, data: 2, expert: 4 },
};

export function planOf(file: PlanFile): Plan {
  const { plan } = normalise(file);
  if (plan === undefined) throw new Error(`${file.name} is no plan`);
  return plan;
}
