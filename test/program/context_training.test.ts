// Steps of training of ranks that share sequences, on the host in f64: gradients of all weights are the reference's.

import { describe, expect, test } from "vitest";
import { contextPlan, type SharedSequences } from "../support/context_plans.ts";
import { faultsOf } from "../support/training_faults.ts";

const rotary = "positions: { kind: rotary }";

describe("models on two ranks that share sequences", () => {
  test.each([
    ["rotary positions", rotary],
    ["no positions", "kvHeads: 2"],
    ["shared heads of keys, norms of heads", `kvHeads: 2, qkNorm: true, ${rotary}`],
    [
      "a window and sinks",
      `kvHeads: 1, sinks: true, slidingWindow: { tokens: 4, layers: [0] }, ${rotary}`,
    ],
    ["learned positions", "positions: { kind: learned, count: 14, offset: 2 }"],
    ["latent attention", `latent: { keyValueRank: 8, rotaryDim: 4, valueDim: 12 }, ${rotary}`],
    ["a cap and a gate", `attentionSoftcap: 2, attentionOutputGate: true, ${rotary}`],
    ["experts", `moe: { experts: 3, topK: 2, ffn: 4, auxLossCoeff: 3 }, ${rotary}`],
  ])("%s", async (_, model) => {
    expect(await faultsOf(contextPlan({ gpus: 2, parallel: "context: 2", model }))).toEqual([]);
  });
});

describe("splits", () => {
  test.each<[string, SharedSequences]>([
    ["three ranks", { gpus: 3, parallel: "context: 3" }],
    [
      "while blocks are on their way",
      { gpus: 3, parallel: "context: 3", optimizations: "communication-overlap" },
    ],
    [
      "of two tensor ranks, sequence parallel",
      { gpus: 4, parallel: "context: 2, tensor: 2, sequence: true" },
    ],
    ["replicas", { gpus: 4, parallel: "context: 2, data: 2" }],
    [
      "replicas of which one has more samples",
      { gpus: 4, parallel: "context: 2, data: 2", batch: 6 },
    ],
    ["two pipeline ranks", { gpus: 4, parallel: "context: 2, pipeline: 2" }],
    ...([1, 2, 3] as const).map((zero): [string, SharedSequences] => [
      `ranks and replicas that share state, stage ${zero}`,
      { gpus: 4, parallel: `context: 2, data: 2, zero: ${zero}` },
    ]),
    ...["full", "selective"].map((granularity): [string, SharedSequences] => [
      `${granularity} recomputation`,
      {
        gpus: 2,
        parallel: "context: 2",
        workload: `schedule: 1f1b, recompute: { granularity: ${granularity} },`,
        optimizations: "communication-overlap",
      },
    ]),
  ])("%s", async (_, split) => {
    expect(await faultsOf(contextPlan(split))).toEqual([]);
  });
});
