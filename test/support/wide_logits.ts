// Models whose logits are made in three windows of rows, the last of which is not full.

import type { Plan } from "../../src/plan/plan.ts";
import { planOf } from "./written_plan.ts";

export const wideLogits = ["", "tiedEmbeddings: true, logitSoftcap: 3", "biases: [head]"].flatMap(
  (head) => [1, 2].map((gpus) => [head, gpus] as const),
);

/** 600 tokens, of 97 logits each. */
export function wideLogitsPlan(
  [head, gpus]: (typeof wideLogits)[number],
  dtype: Plan["workload"]["dtype"] = "f32",
): Plan {
  return planOf(`
name: wide logits
hardware: { gpus: ${gpus} }
workload: { batch: 2, sequence: 300, dtype: ${dtype} }
model: { layers: 1, hidden: 8, heads: 2, ffn: 16, vocabulary: ${gpus === 1 ? 97 : 98}, ${head} }
parallel: { tensor: ${gpus} }
`);
}
