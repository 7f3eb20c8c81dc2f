// However deep a model is, its shared activations take what a few of its blocks take: the estimate lowers no more.

import { expect, test } from "vitest";
import { estimatePlan } from "../../../src/program/estimate.ts";
import { countWhole } from "../../support/count_whole.ts";
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
