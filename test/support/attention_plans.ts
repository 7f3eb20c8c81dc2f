// Small models, one for each thing that attention can do, at odd sizes.

import type { Plan } from "../../src/plan/plan.ts";
import { planOf } from "./written_plan.ts";

interface Case {
  readonly name: string;
  /** Fields of the model, as YAML. */
  readonly model: string;
  /** Tokens per sample. Default: 11. */
  readonly sequence?: number;
}

const yarn = "{ kind: yarn, factor: 4, originalPositions: 8, betaFast: 4, betaSlow: 1 }" as const;

const cases: readonly Case[] = [
  { name: "rotary positions", model: "positions: { kind: rotary }" },
  {
    name: "rotary positions of neighbors, on part of a head",
    model: "positions: { kind: rotary, dims: 6, interleaved: true }",
  },
  {
    name: "rotary positions on a part that fills no quads",
    model: "positions: { kind: rotary, dims: 6, base: 100 }",
  },
  {
    name: "positions past the fine table",
    sequence: 259,
    model: "layers: 1, positions: { kind: rotary, base: 500 }",
  },
  {
    name: "linear scaling",
    model: "positions: { kind: rotary, scaling: { kind: linear, factor: 3 } }",
  },
  {
    name: "dynamic scaling",
    model:
      "positions: { kind: rotary, scaling: { kind: dynamic, factor: 2, originalPositions: 6 } }",
  },
  { name: "YaRN", model: `positions: { kind: rotary, scaling: ${yarn} }` },
  {
    name: "the scaling of Llama 3",
    model:
      "positions: { kind: rotary, scaling: { kind: llama3, factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalPositions: 16 } }",
  },
  {
    name: "LongRoPE",
    model:
      "positions: { kind: rotary, scaling: { kind: longrope, shortFactors: [1, 1, 1, 1], longFactors: [1, 1.5, 2, 4], originalPositions: 8, attentionFactor: 1.1 } }",
  },
  {
    name: "a layer without positions, one with a window and a base of its own",
    model:
      "layers: 3, positions: { kind: rotary, layersWithout: [0], localBase: 50 }, slidingWindow: { tokens: 4, layers: [1] }",
  },
  {
    name: "slopes",
    model: "heads: 6, kvHeads: 6, hidden: 18, headDim: 4, positions: { kind: alibi }",
  },
  {
    name: "a temperature of layers without positions",
    model:
      "layers: 2, positions: { kind: rotary, layersWithout: [1] }, attentionTemperature: { scale: 0.7, interval: 3, offset: 1, layers: without-positions }",
  },
  {
    name: "a temperature behind norms and turns",
    model:
      "qkNorm: true, positions: { kind: rotary }, attentionTemperature: { scale: 0.1, interval: 4 }",
  },
  { name: "biases", model: "biases: [qkv, attention-output], positions: { kind: rotary }" },
  { name: "a gate of the result", model: "attentionOutputGate: true, positions: { kind: rotary }" },
  {
    name: "a gate of grouped heads with norms",
    model: "kvHeads: 1, qkNorm: true, attentionOutputGate: true",
  },
  { name: "norms of each head", model: "qkNorm: true, positions: { kind: rotary }" },
  { name: "norms of each head with weights of its own", model: "qkNorm: each-head" },
  { name: "norms over all heads", model: "qkNorm: all-heads, positions: { kind: rotary }" },
  { name: "norms without weights", model: "qkNorm: l2, positions: { kind: rotary }" },
  { name: "a window", model: "slidingWindow: { tokens: 3, layers: [0, 1] }" },
  {
    name: "a window both ways",
    model: "causal: false, slidingWindow: { tokens: 3, layers: [1] }",
  },
  { name: "chunks", model: "chunkedAttention: { tokens: 4, layers: [0] }" },
  { name: "capped scores of another scale", model: "attentionSoftcap: 0.5, attentionScale: 0.9" },
  {
    name: "sinks within a window",
    model: "sinks: true, slidingWindow: { tokens: 3, layers: [0] }",
  },
  {
    name: "latent attention",
    model:
      "kvHeads: 4, headDim: 8, positions: { kind: rotary, interleaved: true }, attentionScale: 0.4, latent: { queryRank: 12, keyValueRank: 8, rotaryDim: 4, valueDim: 12 }, attentionTemperature: { scale: 0.3, interval: 2 }",
  },
  {
    name: "latent attention with queries at full rank and no positions",
    model:
      "kvHeads: 4, headDim: 4, latent: { keyValueRank: 20, rotaryDim: 8, valueDim: 4 }, biases: [attention-output]",
  },
  {
    name: "linear attention",
    model:
      "gatedDelta: { layers: [0], keyHeads: 4, valueHeads: 8, keyDim: 8, valueDim: 12, kernel: 3 }",
  },
  {
    name: "linear attention of as many heads, whose convolution is longer than a sequence",
    model:
      "gatedDelta: { layers: [1], keyHeads: 4, valueHeads: 4, keyDim: 12, valueDim: 4, kernel: 6 }",
    sequence: 5,
  },
];

const parallels = [
  ["one rank", 1, "{}"],
  ["two ranks", 2, "{ tensor: 2 }"],
  ["one key head on two ranks each, in two stages", 8, "{ tensor: 4, pipeline: 2 }"],
] as const;

const sizes = { layers: 2, hidden: 12, heads: 4, kvHeads: 2, headDim: 8, ffn: 20, vocabulary: 24 };

/** Of a YAML flow mapping, the keys at its top. */
function keysOf(text: string): string[] {
  return text.replaceAll(/\{[^{}]*\}|\[[^\]]*\]/g, "").match(/\w+(?=:)/g) ?? [];
}

function planFor(
  { name, model, sequence = 11 }: Case,
  dtype: Plan["workload"]["dtype"],
  [where, gpus, parallel]: (typeof parallels)[number],
  workload = `microBatches: 1, sequence: ${sequence}`,
): Plan {
  const written = new Set(keysOf(model));
  const rest = Object.entries(sizes).filter(([key]) => !written.has(key));
  const fields = [...rest.map(([key, value]) => `${key}: ${value}`), model].join(", ");
  return planOf(`
name: "${name}, ${where}"
hardware: { gpus: ${gpus} }
workload: { batch: 2, ${workload}, dtype: ${dtype} }
model: { ${fields} }
parallel: ${parallel}
`);
}

/** Heads of six are for two ranks at most, a single layer for one stage. */
function fits({ model }: Case, gpus: number): boolean {
  return gpus <= 2 || !/heads: 6|layers: 1/.test(model);
}

/** On one rank and on several. */
export function attentionPlans(dtype: Plan["workload"]["dtype"] = "f32"): readonly Plan[] {
  return cases.flatMap((one) =>
    parallels.filter(([, gpus]) => fits(one, gpus)).map((where) => planFor(one, dtype, where)),
  );
}

/** The same layers where no token looks ahead, serving: as many tokens of each request as sequences have, prompts in chunks, caches in pages. */
export function servedAttentionPlans(): readonly Plan[] {
  const causal = cases.filter(({ model }) => !/causal: false|gatedDelta/.test(model));
  return causal.flatMap((one) => {
    const { sequence = 11 } = one;
    const tokens = `inputTokens: ${sequence - 4}, outputTokens: 5, prefillChunk: 3, pageTokens: 4`;
    return parallels
      .filter(([, gpus]) => fits(one, gpus))
      .map((where) => planFor(one, "f32", where, `mode: serving, requests: 3, ${tokens}`));
  });
}
