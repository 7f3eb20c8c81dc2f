// Ranks that share sequences are counted: work is divided, keys and values are gathered and their gradients summed.

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

/** Keys and values of all tokens, which each rank lacks all but its own of. */
function gatheredBytes(columns: number, ranks: number): number {
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

  test.each([2, 4])("%i ranks gather keys and values", (ranks) => {
    const shared = estimate(attention, ranks, `context: ${ranks}`);
    expect(sentBytes(shared)).toBe(gatheredBytes(columns, ranks));
  });

  test("a step of training brings their gradients back", () => {
    const training = ", mode: training, optimizer: { name: adamw }";
    const shared = estimate(attention, 2, "context: 2", training);
    const replicas = estimate(attention, 2, "data: 2", training);
    expect(sentBytes(shared) - sentBytes(replicas)).toBe(2 * gatheredBytes(columns, 2));
  });
});
