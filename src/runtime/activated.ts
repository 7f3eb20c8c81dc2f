// Was the activation of a product applied right? Element by element against f64.

import type { Activation } from "../kernels/activation.ts";
import { rowPitch } from "../kernels/storage.ts";
import type { Pace } from "./decode.ts";

const functions: Readonly<Record<Activation, (value: number) => number>> = {
  none: (value) => value,
  relu: (value) => Math.max(value, 0),
  silu: (value) => value / (1 + Math.exp(-value)),
  gelu: (value) =>
    0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3))),
};

/**
 * Largest |y − activation(product)| over the largest |activation(product)| of [rows, columns], whatever
 * pads the rows left aside.
 */
export async function activationError(
  activation: Activation,
  product: Float32Array,
  y: Float32Array,
  rows: number,
  columns: number,
  pace: Pace,
): Promise<number> {
  const activate = functions[activation];
  const pitch = rowPitch(columns);
  let difference = 0;
  let scale = 0;
  for (let row = 0; row < rows; row++) {
    for (let i = row * pitch; i < row * pitch + columns; i++) {
      const expected = activate(product[i] ?? Number.NaN);
      const error = Math.abs((y[i] ?? Number.NaN) - expected);
      if (Number.isNaN(error)) return Infinity;
      if (error > difference) difference = error;
      scale = Math.max(scale, Math.abs(expected));
    }
    // Exponentials cost several multiply-adds.
    await pace(8 * columns);
  }
  return difference === 0 ? 0 : difference / scale;
}
