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

const functions: Record<Activation, (v: number) => number> = {
  none: (v) => v,
  gelu: (v) => 0.5 * v * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (v + 0.044715 * v ** 3))),
  silu: (v) => v / (1 + Math.exp(-v)),
  relu: (v) => Math.max(0, v),
};

/**
 * No activation is steeper than 1.13, and none but GELU's `1 + tanh`, next to -1, is computed with a loss:
 * that one is of the size of v.
 */
export function activated(
  { values, magnitudes, terms }: Expected,
  activation: Activation,
): Expected {
  return { values: values.map(functions[activation]), magnitudes, terms };
}
