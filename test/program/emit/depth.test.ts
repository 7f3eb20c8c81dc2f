// However deep a model is, its shared activations take what a few of its blocks take: the estimate lowers no more.

import { expect, test } from "vitest";
import { estimate, estimatePlan } from "../../../src/program/estimate.ts";
import { lower } from "../../../src/program/lower.ts";
import { countWhole, rounded } from "../../support/count_whole.ts";
import { planOf } from "../../support/written_plan.ts";

const shapes = [
  ["a gated network", "gated: true, vocabulary: 96", "{ tensor: 1 }"],
  ["a plain one, split", "vocabulary: 96", "{ tensor: 2 }"],
  ["sequences split", "gated: true", "{ tensor: 2, sequence: true }"],
  ["experts", "moe: { experts: 4, topK: 2, ffn: 8 }", "{ data: 2, expert: 2 }"],
] as const;

test.each(shapes)("%s, 1 to 9 blocks", (_name, model, parallel) => {
  for (let layers = 1; layers <= 9; layers++) {
    const plan = planOf(`
name: depth
hardware: { gpus: 2 }
workload: { batch: 4, sequence: 8 }
model: { layers: ${layers}, hidden: 8, heads: 2, ffn: 20, ${model} }
parallel: ${parallel}
`);
    const bytes = ({ ranks }: Pick<ReturnType<typeof countWhole>, "ranks">): unknown =>
      ranks.map(({ memoryByRole }) => memoryByRole);
    expect(bytes(estimatePlan(plan))).toEqual(bytes(countWhole(plan)));
  }
});

test.each([
  ["on one rank, heads tied", "tiedEmbeddings: true", "{ tensor: 1 }", ""],
  ["split, blocks computed again", "gated: true", "{ tensor: 2, sequence: true }", "full"],
  ["of replicas, attention computed again", "gated: true", "{ data: 2 }", "selective"],
  ["in a pipeline", "gated: false", "{ pipeline: 2 }", ""],
  ["experts", "moe: { experts: 4, topK: 2, ffn: 8 }", "{ data: 2, expert: 2 }", ""],
])("steps of training %s, 6 and 13 blocks", (_name, model, parallel, recompute) => {
  for (const layers of [6, 13]) {
    const plan = planOf(`
name: depth
hardware: { gpus: 2 }
workload:
  mode: training
  batch: 4
  microBatches: 2
  sequence: 8
  optimizer: { name: adamw, learningRate: 0.001, clipNorm: 1 }
  ${recompute === "" ? "" : `recompute: { granularity: ${recompute} }`}
model: { layers: ${layers}, hidden: 8, heads: 2, ffn: 20, vocabulary: 96, ${model} }
parallel: ${parallel}
`);
    const [counted, whole] = [estimatePlan(plan), estimate(lower(plan), plan)];
    const bytes = ({ ranks }: Pick<typeof whole, "ranks">): unknown =>
      ranks.map(({ memoryByRole }) => memoryByRole);
    expect(bytes(counted)).toEqual(bytes(whole));
    expect(rounded(counted.ranks)).toEqual(rounded(whole.ranks));
    expect(rounded(counted.layers)).toEqual(rounded(whole.layers));
  }
});
