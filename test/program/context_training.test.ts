// Steps of training of ranks that share sequences, on the host in f64: gradients of all weights are the reference's.

import { describe, expect, test } from "vitest";
import { planOf } from "../support/written_plan.ts";
import { faultsOf } from "../support/training_faults.ts";

interface Trained {
  readonly gpus: number;
  readonly parallel: string;
  readonly model?: string;
  readonly workload?: string;
  readonly optimizations?: string;
}

function trained({ gpus, parallel, model = "", workload = "", optimizations = "" }: Trained) {
  const layers = parallel.includes("pipeline") ? 2 : 1;
  return planOf(`
name: shared sequences
hardware: { gpus: ${gpus} }
workload:
  { mode: training, batch: 4, microBatches: 2, sequence: 12, dtype: f32, ${workload}
    optimizer: { name: adamw, clipNorm: 1 } }
model:
  { layers: ${layers}, hidden: 16, heads: 4, headDim: 8, ffn: 24, vocabulary: 40, norm: rms, gated: true,
    ${model === "" ? "positions: { kind: rotary }" : model} }
parallel: { ${parallel} }
optimizations: [${optimizations}]
`);
}

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
    expect(await faultsOf(trained({ gpus: 2, parallel: "context: 2", model }))).toEqual([]);
  });
});

describe("splits", () => {
  test.each<[string, Trained]>([
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
      { gpus: 4, parallel: "context: 2, data: 2", workload: "" },
    ],
    ["two pipeline ranks", { gpus: 4, parallel: "context: 2, pipeline: 2" }],
    ...([1, 2, 3] as const).map((zero): [string, Trained] => [
      `ranks and replicas that share state, stage ${zero}`,
      { gpus: 4, parallel: `context: 2, data: 2, zero: ${zero}` },
    ]),
    ...["full", "selective"].map((granularity): [string, Trained] => [
      `${granularity} recomputation`,
      {
        gpus: 2,
        parallel: "context: 2",
        workload: `schedule: 1f1b, recompute: { granularity: ${granularity} },`,
        optimizations: "communication-overlap",
      },
    ]),
  ])("%s", async (_, split) => {
    expect(await faultsOf(trained(split))).toEqual([]);
  });
});
