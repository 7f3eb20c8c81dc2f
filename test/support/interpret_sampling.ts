// The largest logits of each row, on buffers as they lie in memory: bits of f32 stand as whole numbers.

import { noToken, type TopLogitsShape } from "../../src/kernels/top_logits.ts";
import { rowPitch } from "../../src/kernels/storage.ts";

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

function bitsOf(value: number): number {
  float[0] = value;
  return bits[0] ?? 0;
}

export function runTopLogits(
  { rows, columns, considered, firstId, count }: TopLogitsShape,
  logits: Float64Array,
  candidates: Float64Array,
): void {
  for (let row = 0; row < rows; row++) {
    const first = row * rowPitch(columns);
    const own = [...logits.subarray(first, first + considered).entries()].toSorted(
      ([a, x], [b, y]) => y - x || a - b,
    );
    for (let i = 0; i < count; i++) {
      const found = own[i];
      const at = 2 * (row * count + i);
      candidates.set(
        found === undefined ? [0, noToken] : [bitsOf(found[1]), firstId + found[0]],
        at,
      );
    }
  }
}
