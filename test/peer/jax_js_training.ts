// A training step in jax-js: its own gradients, clipped by their norm, and AdamW in f32.

import type { Array as JaxArray } from "@jax-js/jax";
import type { Plan } from "../../src/plan/plan.ts";
import { contentValues, partsOf } from "../../src/program/content_values.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import { lower } from "../../src/program/lower.ts";
import { crossEntropyIn, type Jax } from "./jax_js_model.ts";

export interface Weight {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export interface AdamwRules {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Of all weights, vectors included. */
  readonly weightDecay: number;
  /** Of all gradients together. */
  readonly clipNorm: number;
}

/** By the weights' names in contents. */
type Arrays = Record<string, JaxArray>;

export interface TrainingState {
  readonly weights: Arrays;
  readonly first: Arrays;
  readonly second: Arrays;
}

export interface TakenStep {
  readonly state: TrainingState;
  /** Of the weights before the step. */
  readonly loss: JaxArray;
  /** Of all gradients, before they are clipped. */
  readonly norm: JaxArray;
}

export function initialWeights(plan: Plan): Map<string, Weight> {
  const source = hashSource(plan.workload.seed);
  const contents = lower(plan).ranks.flatMap(({ buffers }) =>
    buffers.flatMap(({ role, content }) =>
      role === "weight" && content !== undefined ? partsOf(content) : [],
    ),
  );
  return new Map(
    contents.map((content) => [
      content.tensor,
      { shape: content.shape, data: contentValues(content, source, "f32") },
    ]),
  );
}

/** Token ids of a step and the one after them. */
export function streamOf({ workload }: Plan, vocabulary: number): number[] {
  const shape = [workload.batch * workload.sequence + 1];
  const content = {
    kind: "ids",
    tensor: "ids",
    vocabulary,
    shape,
    offset: [0],
    size: shape,
  } as const;
  return [...hashSource(workload.seed).values(content, 0, 1)];
}

export function initialState({ numpy }: Jax, plan: Plan): TrainingState {
  const initial = [...initialWeights(plan)];
  const arrays = (of: (data: Float64Array) => Float32Array): Arrays =>
    Object.fromEntries(
      initial.map(([name, { shape, data }]) => [
        name,
        numpy.array(of(data), { shape: [...shape] }),
      ]),
    );
  const zeros = (data: Float64Array): Float32Array => new Float32Array(data.length);
  return {
    weights: arrays((data) => Float32Array.from(data)),
    first: arrays(zeros),
    second: arrays(zeros),
  };
}

/**
 * All micro-batches at once, compiled when it is first taken.
 *
 * @returns what takes step `step`, from 1, and disposes of the state that it is given
 */
export function trainingStep(
  jax: Jax,
  plan: Plan,
  stream: readonly number[],
  rules: AdamwRules,
): (state: TrainingState, step: number) => TakenStep {
  const { learningRate, beta1, beta2, epsilon, weightDecay, clipNorm } = rules;
  const { numpy } = jax;
  const lossOf = jax.valueAndGrad((weights: Arrays) => crossEntropyIn(jax, plan, stream, weights));
  /** @param toFirst, toSecond what the moments are multiplied by, since they began at 0 */
  const step = jax.jit((state: TrainingState, toFirst: JaxArray, toSecond: JaxArray): TakenStep => {
    const names = Object.keys(state.weights);
    const map = (of: (name: string) => JaxArray): Arrays =>
      Object.fromEntries(names.map((name) => [name, of(name)]));
    const [loss, gradients] = lossOf(map((name) => own(state.weights, name).ref));
    const squares = names.map((name) => numpy.square(own(gradients, name).ref).sum());
    const norm = numpy.sqrt(squares.reduce((sum, square) => sum.add(square)));
    const factor = numpy.minimum(1, numpy.reciprocal(norm.ref.add(1e-6)).mul(clipNorm));
    const clipped = map((name) => own(gradients, name).mul(factor.ref));
    const first = map((name) =>
      own(state.first, name)
        .mul(beta1)
        .add(own(clipped, name).ref.mul(1 - beta1)),
    );
    const second = map((name) =>
      own(state.second, name)
        .mul(beta2)
        .add(numpy.square(own(clipped, name)).mul(1 - beta2)),
    );
    const weights = map((name) => {
      const root = numpy.sqrt(own(second, name).ref.mul(toSecond.ref)).add(epsilon);
      const update = own(first, name).ref.mul(toFirst.ref).div(root).mul(learningRate);
      return own(state.weights, name)
        .mul(1 - learningRate * weightDecay)
        .sub(update);
    });
    return { state: { weights, first, second }, loss, norm };
  });
  const correction = (beta: number, count: number): JaxArray =>
    numpy.array(Float32Array.of(1 / (1 - beta ** count)), { shape: [] });
  return (state, count) => step(state, correction(beta1, count), correction(beta2, count));
}

function own(arrays: Arrays, name: string): JaxArray {
  const found = arrays[name];
  if (found === undefined) throw new Error(`${name} is missing`);
  return found;
}

/** Has its version, where it is installed. */
export const jaxJsPackage = new URL("../../node_modules/@jax-js/jax/package.json", import.meta.url);

/** Undefined where it is not installed, or has no such device. */
export async function findJaxJs(device: "wasm" | "webgpu"): Promise<Jax | undefined> {
  try {
    // Node 20 has no iterator helpers, and jax-js does not do without.
    await import("core-js/actual/iterator/index.js");
    const jax = await import("@jax-js/jax");
    if (!(await jax.init(device)).includes(device)) return undefined;
    jax.defaultDevice(device);
    return jax;
  } catch {
    return undefined;
  }
}
