// What rounding makes of a value and its error, step by step, as mean squares: what every kind of layer is made of.

import type { Activation } from "../kernels/activation.ts";
import type { StorageType } from "../kernels/storage.ts";
import type { Groups } from "../plan/groups.ts";
import type { NetworkActivation } from "../plan/activation.ts";
import type { Workload } from "../plan/plan.ts";
import { biasScale } from "../program/layers/context.ts";
import { activationFunctions, gateFactor } from "./activations.ts";
import { smallestError, unitRoundoff } from "./rounding.ts";

/** Mean squares. */
export interface Signal {
  readonly value: number;
  readonly error: number;
}

/** Uniform between -1 and 1, the same bits on both sides. */
export const uniformSignal: Signal = { value: 1 / 3, error: 0 };

export interface RoundingSteps {
  readonly sequence: number;
  /** Of one micro-batch. */
  readonly rows: number;
  readonly stored: (x: Signal) => Signal;
  /** Of keys and values in the caches of a plan that serves. */
  readonly cached: (x: Signal) => Signal;
  /** Over k terms. */
  readonly product: (x: Signal, k: number) => Signal;
  /** As `product`; partial sums of a group are stored before they are added up. */
  readonly partial: (x: Signal, k: number, groups: Groups) => Signal;
  /** With a bias that is uniform around 0, where there is one. */
  readonly biased: (x: Signal, isBiased: boolean | undefined) => Signal;
  /** @param cap of `softcap` */
  readonly activated: (x: Signal, activation: Activation, cap?: number) => Signal;
  readonly add: (a: Signal, b: Signal) => Signal;
  readonly feedForward: (x: Signal, layer: FeedForward) => Signal;
}

interface FeedForward {
  readonly hidden: number;
  readonly ffn: number;
  readonly activation: NetworkActivation;
  readonly gated: boolean;
  readonly bias?: boolean;
}

export function roundingSteps(workload: Workload): RoundingSteps {
  const { dtype, sequence, batch, microBatches, serving } = workload;
  const stored = storedIn(dtype);
  const product = ({ value, error }: Signal, k: number): Signal =>
    stored({ value, error: error + (k * unitRoundoff.f32 ** 2 * value) / 3 });
  const feedForward = (
    x: Signal,
    { hidden, ffn, activation, gated, bias }: FeedForward,
  ): Signal => {
    const inner = biased(product(x, hidden), bias);
    const first = activated(inner, activation);
    const last = gated ? gatedBy(first, inner, (y) => gateFactor(activation, y)) : first;
    return biased(product(stored(last), ffn), bias);
  };
  return {
    sequence,
    rows: (batch / microBatches) * sequence,
    stored,
    cached:
      serving === undefined || serving.cacheDtype === dtype
        ? (x) => x
        : storedIn(serving.cacheDtype),
    product,
    partial: (x, k, groups) =>
      groups.some((group) => group.length > 1) ? stored(product(x, k)) : product(x, k),
    biased,
    activated,
    add: (a, b) => stored({ value: a.value + b.value, error: a.error + b.error }),
    feedForward,
  };
}

function biased({ value, error }: Signal, isBiased = false): Signal {
  return {
    value: isBiased ? value + biasScale ** 2 / 3 : value,
    error,
  };
}

function storedIn(dtype: StorageType) {
  return ({ value, error }: Signal): Signal => ({
    value,
    error: error + (unitRoundoff[dtype] ** 2 * value + smallestError[dtype] ** 2) / 3,
  });
}

function activated({ value, error }: Signal, activation: Activation, cap?: number): Signal {
  if (activation === "none") return { value, error };
  const { square, slope } = momentsOf(activationFunctions(activation, cap), value);
  return { value: square, error: slope * error };
}

/** Times `factor` of a value that is independent of it. */
export function gatedBy(
  { value, error }: Signal,
  gate: Signal,
  factor: (gate: number) => number,
): Signal {
  const { square, slope } = momentsOf(factor, gate.value);
  return { value: value * square, error: error * square + value * slope * gate.error };
}

/** Both times a factor, squared: `by`. */
export function amplified({ value, error }: Signal, by: number): Signal {
  return {
    value: value * by,
    error: error * by,
  };
}

/** E[f(z)²] and E[f'(z)²] for z normal with that variance. */
function momentsOf(
  f: (x: number) => number,
  variance: number,
): { readonly square: number; readonly slope: number } {
  const deviation = Math.sqrt(variance);
  let [square, slope, total] = [0, 0, 0];
  for (let step = -80; step < 80; step++) {
    const z = (step + 0.5) / 10;
    const weight = Math.exp(-(z ** 2) / 2);
    const at = z * deviation;
    const width = 1e-3 * Math.max(1, deviation);
    total += weight;
    square += weight * f(at) ** 2;
    slope += weight * ((f(at + width) - f(at - width)) / (2 * width)) ** 2;
  }
  return { square: square / total, slope: slope / total };
}
