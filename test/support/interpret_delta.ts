// The kernels of linear attention in f64, on buffers as they lie in memory.

import type { CausalConvShape } from "../../src/kernels/causal_conv.ts";
import type { GatedDeltaShape } from "../../src/kernels/gated_delta.ts";
import { rowPitch } from "../../src/kernels/storage.ts";

export function runCausalConv(
  { rows, columns, taps, sequence }: CausalConvShape,
  x: Float64Array,
  w: Float64Array,
  y: Float64Array,
): void {
  const pitch = rowPitch(columns);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < columns; c++) {
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) {
        const back = taps - 1 - tap;
        if (back <= row % sequence) sum += w[tap * pitch + c]! * x[(row - back) * pitch + c]!;
      }
      y[row * pitch + c] = sum / (1 + Math.exp(-sum));
    }
  }
}

/** In one step, with a share of sigmoid(update): S becomes decay · (S - share · k · (kᵀ · S)) + share · k · vᵀ. */
export function runGatedDelta(
  { batch, sequence, keyHeads, valueHeads, keyDim, valueDim }: GatedDeltaShape,
  x: Float64Array,
  update: Float64Array,
  step: Float64Array,
  rates: Float64Array,
  y: Float64Array,
): void {
  const keys = keyHeads * keyDim;
  const columns = 2 * keys + valueHeads * valueDim;
  const pitch = rowPitch(valueHeads);
  const unit = (from: number): Float64Array => {
    const own = x.subarray(from, from + keyDim);
    const square = own.reduce((sum, value) => sum + value * value, 1e-6);
    return own.map((value) => value / Math.sqrt(square));
  };
  for (let head = 0; head < valueHeads; head++) {
    const shared = Math.floor(head / (valueHeads / keyHeads)) * keyDim;
    let state = new Float64Array(keyDim * valueDim);
    for (let row = 0; row < batch * sequence; row++) {
      if (row % sequence === 0) state = new Float64Array(keyDim * valueDim);
      const [q, k] = [unit(row * columns + shared), unit(row * columns + keys + shared)];
      const share = 1 / (1 + Math.exp(-update[row * pitch + head]!));
      const exponent = Math.exp(rates[head]!) * Math.log(1 + Math.exp(step[row * pitch + head]!));
      for (let c = 0; c < valueDim; c++) {
        const value = x[row * columns + 2 * keys + head * valueDim + c]!;
        const at = (i: number): number => state[i * valueDim + c]!;
        const held = k.reduce((sum, key, i) => sum + key * at(i), 0);
        const now = k.map(
          (key, i) => Math.exp(-exponent) * (at(i) - share * key * held) + share * key * value,
        );
        const result = q.reduce((sum, query, i) => sum + query * now[i]!, 0);
        for (const [i, own] of now.entries()) state[i * valueDim + c] = own;
        y[(row * valueHeads + head) * valueDim + c] = result / Math.sqrt(keyDim);
      }
    }
  }
}
