// Three steps of tiny models against jax-js, whose gradients are its own.

import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import { referenceGradients } from "../../src/reference/gradients.ts";
import { adamwStep, clipFactor, globalNorm } from "../../src/reference/optimizers.ts";
import { alteredSource } from "../support/altered_source.ts";
import { planOf } from "../support/written_plan.ts";
import type { Jax } from "./jax_js_model.ts";
import {
  findJaxJs,
  initialState,
  initialWeights,
  streamOf,
  trainingStep,
} from "./jax_js_training.ts";

const steps = 3;
const largestNorm = 0.5;
/** ε is large for Adam: where a gradient is next to nothing, its direction is rounding. */
const options = { learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-4, weightDecay: 0.1 };

function modelOf(fields: string): Plan {
  return planOf(`
name: tiny
hardware: { gpus: 1 }
workload: { batch: 4, microBatches: 2, sequence: 7, dtype: f32 }
model: { layers: 2, hidden: 12, heads: 4, headDim: 4, ffn: 20, vocabulary: 26, ${fields} }
parallel: {}
`);
}

const models = {
  "Qwen3: norms of heads, grouped heads, gated networks": modelOf(
    "kvHeads: 2, gated: true, qkNorm: true, positions: { kind: rotary }",
  ),
  "Qwen3-MoE: the best two of four experts, their shares made whole": modelOf(
    "kvHeads: 2, gated: true, qkNorm: true, positions: { kind: rotary }, moe: { experts: 4, topK: 2, ffn: 8, renormalise: true }",
  ),
  "Qwen2-MoE: shares of all experts, shared experts with a gate": modelOf(
    "gated: true, positions: { kind: rotary }, moe: { experts: 4, topK: 2, ffn: 8, renormalise: false, sharedFfn: 12, sharedGate: true }",
  ),
  "Llama: RMS norms, rotary positions, grouped heads, gated networks": modelOf(
    "kvHeads: 2, gated: true, positions: { kind: rotary }",
  ),
  "GPT-2: layer norms, learned positions, biases, a tied head": modelOf(
    "norm: layer, biases: [qkv, attention-output, mlp], positions: { kind: learned, count: 9 }, tiedEmbeddings: true",
  ),
};

interface Trained {
  readonly losses: number[];
  readonly norms: number[];
  readonly weights: Map<string, ArrayLike<number>>;
}

async function trainReference(plan: Plan): Promise<Trained> {
  const weights = initialWeights(plan);
  const source = alteredSource(
    hashSource(plan.workload.seed),
    (tensor, i, value) => weights.get(tensor)?.data[i] ?? value,
  );
  const zeros = () =>
    new Map([...weights].map(([name, { data }]) => [name, new Float64Array(data.length)]));
  const [first, second] = [zeros(), zeros()];
  const [losses, norms]: [number[], number[]] = [[], []];
  for (let step = 1; step <= steps; step++) {
    const { loss, gradients } = await referenceGradients(plan, { source });
    const norm = globalNorm([...gradients.values()].map(({ data }) => data));
    losses.push(loss);
    norms.push(norm);
    for (const [name, { data }] of gradients) {
      const clipped = data.map((value) => value * clipFactor(norm, largestNorm));
      const moments = { first: first.get(name)!, second: second.get(name)! };
      adamwStep(weights.get(name)!.data, clipped, moments, step, options);
    }
  }
  return { losses, norms, weights: new Map([...weights].map(([name, { data }]) => [name, data])) };
}

/** In f32, all micro-batches at once. */
async function trainPeer(jax: Jax, plan: Plan): Promise<Trained> {
  const rules = { ...options, clipNorm: largestNorm };
  const step = trainingStep(jax, plan, streamOf(plan, 26), rules);
  let state = initialState(jax, plan);
  const [losses, norms]: [number[], number[]] = [[], []];
  for (let count = 1; count <= steps; count++) {
    const taken = step(state, count);
    losses.push((await taken.loss.data())[0]!);
    norms.push((await taken.norm.data())[0]!);
    ({ state } = taken);
  }
  const trained = new Map<string, ArrayLike<number>>();
  for (const [name, weight] of Object.entries(state.weights)) {
    trained.set(name, await weight.data());
  }
  return { losses, norms, weights: trained };
}

const peer = await findJaxJs("wasm");

/** Largest difference, in shares of the largest value. */
function difference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(found).toHaveLength(expected.length);
  const values = Array.from(expected);
  const largest = Math.max(...values.map(Math.abs));
  return Math.max(...values.map((value, i) => Math.abs(value - found[i]!))) / largest;
}

/** Of all weights, one after the other. */
function movesOf(plan: Plan, { weights }: Trained): number[] {
  return [...initialWeights(plan)].flatMap(([name, { data }]) =>
    Array.from(weights.get(name)!, (value, i) => value - data[i]!),
  );
}

describe(`three steps of AdamW${peer === undefined ? " (jax-js is not installed)" : ""}`, () => {
  test.skipIf(peer === undefined).each(Object.entries(models))("%s", async (_name, plan) => {
    const [ours, peers] = [await trainReference(plan), await trainPeer(peer!, plan)];
    expect(difference(peers.losses, ours.losses)).toBeLessThan(1e-6);
    expect(difference(peers.norms, ours.norms)).toBeLessThan(1e-5);
    expect(difference(movesOf(plan, peers), movesOf(plan, ours))).toBeLessThan(1e-4);
    expect(Math.min(...ours.norms)).toBeGreaterThan(largestNorm);
    expect(ours.losses.at(-1)).toBeLessThan(ours.losses[0]!);
  });
});
