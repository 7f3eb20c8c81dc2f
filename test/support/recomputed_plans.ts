// Pipelines in training whose backward slots compute activations again.

import type { Plan } from "../../src/plan/plan.ts";
import { planOf } from "./written_plan.ts";

export interface Choice {
  readonly recompute?: string;
  readonly batch?: number;
  readonly layers?: number;
  readonly model?: string;
  readonly parallel?: string;
  readonly gpus?: number;
  readonly workload?: string;
  readonly rest?: string;
}

export function trainedPlan({
  recompute,
  batch = 4,
  layers = 4,
  model = "",
  parallel = "",
  gpus = 2,
  workload = "",
  rest = "",
}: Choice = {}): Plan {
  return planOf(`
name: again
hardware: { gpus: ${gpus} }
workload: { batch: ${batch}, sequence: 8, microBatches: 4, mode: training, schedule: 1f1b${workload}${
    recompute === undefined ? "" : `, recompute: ${recompute}`
  } }
model: { layers: ${layers}, hidden: 8, heads: 2, ffn: 16, gated: true, vocabulary: 24${model} }
parallel: { pipeline: 2${parallel} }
${rest}
`);
}

export const full = "{ granularity: full, method: uniform, layers: 1 }";
export const selective = "{ granularity: selective }";

export const trainedCases: readonly (readonly [string, Choice])[] = [
  ["dense", {}],
  ["tensor parallel", { gpus: 4, parallel: ", tensor: 2" }],
  ["with its sequence split", { gpus: 4, parallel: ", tensor: 2, sequence: true" }],
  [
    "overlapping",
    {
      gpus: 4,
      parallel: ", tensor: 2",
      workload: ", seed: 3",
      rest: "optimizations: [communication-overlap]",
    },
  ],
  ["interleaved", { parallel: ", virtualStages: 2" }],
  [
    "experts",
    {
      batch: 8,
      gpus: 4,
      parallel: ", data: 2, expert: 2",
      model: ", moe: { experts: 4, topK: 2, ffn: 8 }",
    },
  ],
  ["deep", { layers: 12 }],
];

export const ways = [
  full,
  "{ granularity: full, method: uniform, layers: 2 }",
  "{ granularity: full, method: block, layers: 1 }",
  selective,
];
