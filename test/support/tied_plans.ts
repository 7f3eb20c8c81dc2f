// Small models whose head shares the embedding's weights, on one rank, split, replicated and piped.

import type { Plan } from "../../src/plan/plan.ts";
import { sequencePlan } from "./sequence_plans.ts";

export function tiedPlans(dtype: Plan["workload"]["dtype"]): readonly Plan[] {
  return [
    sequencePlan({
      name: "one rank",
      dtype,
      gpus: 1,
      vocabulary: 37,
      model: "tiedEmbeddings: true, hidden: 18, heads: 2, kvHeads: 2, headDim: 12",
      parallel: "{}",
    }),
    sequencePlan({
      name: "three ranks with a third of the vocabulary each, and of the tokens",
      dtype,
      gpus: 3,
      sequence: 9,
      vocabulary: 39,
      model: "tiedEmbeddings: true, hidden: 22, heads: 3, kvHeads: 3, headDim: 8, ffn: 33",
      parallel: "{ tensor: 3, sequence: true }",
    }),
    sequencePlan({
      name: "two stages of two ranks",
      dtype,
      gpus: 4,
      vocabulary: 34,
      model: "tiedEmbeddings: true, layers: 2",
      parallel: "{ tensor: 2, pipeline: 2 }",
    }),
  ];
}
