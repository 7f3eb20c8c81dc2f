// Costs of ranks that share sequences: work is divided, keys and values go round, and so do their gradients.

import { describe, expect, test } from "vitest";
import { estimatePlan, type PlanEstimate } from "../../src/program/estimate.ts";
import { planOf } from "../support/written_plan.ts";

const tokens = 64;
const grouped = "kvHeads: 2, headDim: 16";
const latent = "headDim: 16, latent: { keyValueRank: 8, rotaryDim: 4, valueDim: 12 }";

function estimate(attention: string, ranks: number, parallel: string, training = ""): PlanEstimate {
  return estimatePlan(
    planOf(`
name: context
hardware: { gpus: ${ranks} }
workload: { batch: ${parallel.startsWith("data") ? ranks : 1}, sequence: ${tokens}, dtype: f32${training} }
model: { layers: 1, hidden: 64, heads: 4, ffn: 128, vocabulary: 256, ${attention} }
parallel: { ${parallel} }
`),
  );
}

function sentBytes({ ranks }: PlanEstimate): number {
  return ranks.reduce((sum, rank) => sum + rank.sentBytes, 0);
}

/** Keys and values of all tokens, which each rank lacks all but its own of: the same in a ring as where they are gathered. */
function hopBytes(columns: number, ranks: number): number {
  return (ranks - 1) * tokens * columns * 4;
}

describe.each([
  ["grouped heads", grouped, 2 * 2 * 16],
  ["latent heads", latent, 4 * (16 + 4 + 12)],
])("%s", (_name, attention, columns) => {
  test.each([2, 4])("%i ranks share the FLOPs of whole sequences", (ranks) => {
    const [alone] = estimate(attention, 1, "tensor: 1").ranks;
    const shared = estimate(attention, ranks, `context: ${ranks}`).ranks;
    for (const { flops } of shared) expect(flops).toBe((alone?.flops ?? 0) / ranks);
  });

  test.each([2, 4])("%i ranks send keys and values round", (ranks) => {
    const shared = estimate(attention, ranks, `context: ${ranks}`);
    expect(sentBytes(shared)).toBe(hopBytes(columns, ranks));
  });

  test("in a step of training they go round again, and their gradients with them", () => {
    const training = ", mode: training, optimizer: { name: adamw }";
    const shared = estimate(attention, 2, "context: 2", training);
    const replicas = estimate(attention, 2, "data: 2", training);
    expect(sentBytes(shared) - sentBytes(replicas)).toBe(3 * hopBytes(columns, 2));
  });
});
