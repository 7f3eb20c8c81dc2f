// Products of heads by themselves, made again in f64 for some rows and heads.

import type { HeadMatmulShape } from "../../kernels/head_matmul.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import { pairsOf } from "./cached_tokens.ts";
import type { Coverage } from "./coverage.ts";
import { allRows, runsOf } from "./sample.ts";
import type { Operands, PaddedRows, CheckSampling } from "./view.ts";

export async function checkHeadMatmul(
  shape: HeadMatmulShape,
  operands: Operands,
  { random }: CheckSampling,
): Promise<Coverage> {
  const { rows, heads, k, n, kept, w, transposed } = shape;
  const deviation = createDeviation();
  const all = Array.from({ length: rows }, (_, row) => row);
  const pairs = pairsOf(all, heads, random);
  const runs = runsOf(pairs.map(({ row }) => row));
  const x = await operands.rows("x", heads * (k + kept), runs);
  const y = await operands.rows("y", heads * (n + kept), runs);
  const weights = await operands.rows("w", w.columns, allRows(transposed === "w" ? n : k));
  for (const { row, head } of pairs) {
    const given = x.at(row).subarray(head * (k + kept), (head + 1) * (k + kept));
    const found = y.at(row).subarray(head * (n + kept), (head + 1) * (n + kept));
    for (let column = 0; column < n; column++) {
      const { sum, squares } = productOf(shape, given, weights, head, column);
      const accepted = sumError(k, squares, sum) + storedError(sum, operands.dtype);
      deviation.add(found[column] ?? Number.NaN, sum, accepted, row, head * (n + kept) + column);
    }
    for (let i = 0; i < kept; i++) {
      const own = found[n + i] ?? Number.NaN;
      deviation.same(own, given[k + i] ?? Number.NaN, row, head * (n + kept) + n + i);
    }
    await operands.pace(2 * k * n);
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: rows * heads,
    deviation,
  };
}

function productOf(
  { k, w: { first, step }, transposed }: HeadMatmulShape,
  x: Float32Array,
  w: PaddedRows,
  head: number,
  column: number,
): { readonly sum: number; readonly squares: number } {
  const block = first + head * step;
  let [sum, squares] = [0, 0];
  for (let i = 0; i < k; i++) {
    const weight = transposed === "w" ? w.at(column)[block + i] : w.at(i)[block + column];
    const term = (x[i] ?? Number.NaN) * (weight ?? Number.NaN);
    sum += term;
    squares += term * term;
  }
  return { sum, squares };
}
