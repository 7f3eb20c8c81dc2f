// Gradients of heads where latent attention had them from: moved, but for what keys share, which is added up.

import { latentColumns, type LatentGradientShape } from "../../kernels/latent_gradient.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import type { CheckSampling, Operands } from "./view.ts";

export async function checkLatentGradient(
  shape: LatentGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { rows, heads, headDim, plainDim, valueDim } = shape;
  const columns = latentColumns(shape);
  const runs = sampleRows(rows, columns.packed, random, effort.rowElements);
  const deviation = createDeviation();
  const read = async (name: string, width: number) => operands.rows(name, width, runs);
  const [dheads, dq] = [await read("dheads", columns.packed), await read("dq", columns.q)];
  const [dkv, ddown] = [await read("dkv", columns.kv), await read("ddown", columns.down)];
  for (const row of rowsOf(runs)) {
    const packed = dheads.at(row);
    const part = (first: number, count: number) => packed.subarray(first, first + count);
    same(dq.at(row), part(0, columns.q), row, 0, deviation);
    for (let head = 0; head < heads; head++) {
      const place = head * (plainDim + valueDim);
      const key = part(columns.q + head * headDim, plainDim);
      const value = part(2 * columns.q + head * valueDim, valueDim);
      same(dkv.at(row), key, row, place, deviation);
      same(dkv.at(row), value, row, place + plainDim, deviation);
    }
    checkShared(shape, packed, ddown.at(row), row, operands, deviation);
    await operands.pace(2 * columns.packed);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

function same(
  actual: Float32Array,
  expected: Float32Array,
  row: number,
  first: number,
  deviation: Deviation,
): void {
  for (const [c, value] of expected.entries()) {
    deviation.same(actual[first + c] ?? Number.NaN, value, row, first + c);
  }
}

function checkShared(
  { heads, headDim, plainDim, rank }: LatentGradientShape,
  packed: Float32Array,
  actual: Float32Array,
  row: number,
  { dtype }: Operands,
  deviation: Deviation,
): void {
  for (let c = 0; c < rank; c++) deviation.same(actual[c] ?? Number.NaN, 0, row, c);
  for (let c = 0; c < headDim - plainDim; c++) {
    let [sum, squares] = [0, 0];
    for (let head = 0; head < heads; head++) {
      const value = packed[(heads + head) * headDim + plainDim + c] ?? Number.NaN;
      sum += value;
      squares += value ** 2;
    }
    const accepted = sumError(heads, squares, sum) + storedError(sum, dtype);
    deviation.add(actual[rank + c] ?? Number.NaN, sum, accepted, row, rank + c);
  }
}
