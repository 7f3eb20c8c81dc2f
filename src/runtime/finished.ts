// Was what finishes a product applied right? Element by element against f64.

import type { Activation } from "../kernels/activation.ts";
import type { Finish } from "../kernels/product.ts";
import { rowPitch } from "../kernels/storage.ts";
import type { Pace } from "./decode.ts";

/** What a product is finished with: a bias for each part, the others for each row. */
export interface FinishTables {
  readonly bias?: Float32Array;
  readonly gate?: Float32Array;
  readonly residual?: Float32Array;
}

const functions: Readonly<Record<Activation, (value: number) => number>> = {
  none: (value) => value,
  relu: (value) => Math.max(value, 0),
  silu: (value) => value / (1 + Math.exp(-value)),
  gelu: (value) =>
    0.5 * value * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (value + 0.044715 * value ** 3))),
};

/**
 * Largest |y − finish(product)| over the largest |finish(product)|, whatever pads the rows left aside.
 *
 * @param partRows rows of each part, which lie one after the other
 */
export async function finishError(
  { activation, scale = 1 }: Finish,
  { bias, gate, residual }: FinishTables,
  product: Float32Array,
  y: Float32Array,
  partRows: readonly number[],
  columns: number,
  pace: Pace,
): Promise<number> {
  const activate = functions[activation];
  const pitch = rowPitch(columns);
  let difference = 0;
  let largest = 0;
  let row = 0;
  for (const [part, rows] of partRows.entries()) {
    for (const end = row + rows; row < end; row++) {
      for (let column = 0; column < columns; column++) {
        const i = row * pitch + column;
        const biased = scale * at(product, i, 0) + at(bias, part * pitch + column, 0);
        const expected = activate(biased) * at(gate, i, 1) + at(residual, i, 0);
        const error = Math.abs((y[i] ?? Number.NaN) - expected);
        if (Number.isNaN(error)) return Infinity;
        if (error > difference) difference = error;
        largest = Math.max(largest, Math.abs(expected));
      }
      // Exponentials cost several multiply-adds.
      await pace(8 * columns);
    }
  }
  return difference === 0 ? 0 : difference / largest;
}

/** `absent` where there is no such table; NaN where a table is too short. */
const at = (table: Float32Array | undefined, index: number, absent: number): number =>
  table === undefined ? absent : (table[index] ?? Number.NaN);
