// Products and activations in f64, with the magnitudes that tolerances need.

import type { Activation } from "../../src/kernels/activation.ts";
import type { Tensor } from "./tensors.ts";
import type { Expected } from "./tolerance.ts";

/** x · w. */
export function product(x: Tensor, w: Tensor): Expected {
  const k = x.columns;
  const values = new Float64Array(x.rows * w.columns);
  const magnitudes = new Float64Array(x.rows * w.columns);
  for (let row = 0; row < x.rows; row++) {
    for (let column = 0; column < w.columns; column++) {
      let sum = 0;
      let magnitude = 0;
      for (let i = 0; i < k; i++) {
        const term = at(x, row, i) * at(w, i, column);
        sum += term;
        magnitude += Math.abs(term);
      }
      values[row * w.columns + column] = sum;
      magnitudes[row * w.columns + column] = magnitude;
    }
  }
  return { values, magnitudes, terms: k };
}

export function at({ columns, values }: Tensor, row: number, column: number): number {
  return values[row * columns + column] ?? Number.NaN;
}

/** Φ(v) by Simpson's rule from 0; beyond 10 it is 0 or 1. */
function normal(value: number): number {
  const v = Math.max(-10, Math.min(10, value));
  const steps = 400;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-(((i / steps) * v) ** 2) / 2);
  }
  return 0.5 + (sum * v) / (3 * steps * Math.sqrt(2 * Math.PI));
}

/** Of soft caps in tests. */
export const testCap = 1.5;

const functions: Record<Activation, (v: number) => number> = {
  none: (v) => v,
  "gelu-erf": (v) => v * normal(v),
  "quick-gelu": (v) => v / (1 + Math.exp(-1.702 * v)),
  relu2: (v) => (v > 0 ? v * v : 0),
  "clamped-silu": (v) => Math.min(v, 7) / (1 + Math.exp(-1.702 * Math.min(v, 7))),
  softcap: (v) => testCap * Math.tanh(v / testCap),
  gelu: (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
  silu: (v) => v / (1 + Math.exp(-v)),
  relu: (v) => Math.max(0, v),
  sigmoid: (v) => 0.5 + 0.5 * Math.tanh(v / 2),
};

/**
 * No activation but ReLU's square is steeper than 1.13. Computed with a loss are GELU's `1 + tanh`, next to -1, and the tail
 * of its other variant, of the size of v, and the soft cap, of its own size.
 */
export function activated(
  { values, magnitudes, terms }: Expected,
  activation: Activation,
): Expected {
  const steepness = (v: number): number => (activation === "relu2" ? 1 + 2 * Math.abs(v) : 1);
  return {
    values: values.map(functions[activation]),
    magnitudes: magnitudes.map(
      (size, i) =>
        size * steepness(values[i] ?? Number.NaN) + (activation === "softcap" ? testCap : 0),
    ),
    terms,
  };
}
