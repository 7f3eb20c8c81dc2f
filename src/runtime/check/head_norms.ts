// Norms of queries and keys beside their turns, made again in f64: means over the heads of all ranks, and gradients.

import {
  headGainElements,
  hasOwnHeadGains,
  type NormedHeadsShape,
} from "../../kernels/head_norm_gradient.ts";
import type { HeadGainGradientShape } from "../../kernels/head_gain_gradient.ts";
import type { MeanSquaresShape } from "../../kernels/mean_squares.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import { addTerm, checkColumnSums, createColumnSums, piecesOf } from "./column_sums.ts";
import type { Coverage } from "./coverage.ts";
import { checkNormedRow, type NormMeans } from "./norm_gradient.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

export async function checkMeanSquares(
  { rows, columns, queryColumns, keyColumns, ranks, gradient }: MeanSquaresShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const x = await operands.rows("x", columns, runs);
  const dy = gradient === true ? await operands.rows("dy", columns, runs) : x;
  const gains = gradient === true ? await operands.tensor("gains") : undefined;
  const y = await operands.floats("y");
  const parts = [
    { first: 0, count: queryColumns },
    { first: queryColumns, count: keyColumns },
  ];
  for (const row of rowsOf(runs)) {
    const own = y.subarray(4 * row, 4 * row + 4);
    for (const [at, { first, count }] of parts.entries()) {
      const share = 1 / (ranks * count);
      let sum = 0;
      let squares = 0;
      for (let c = first; c < first + count; c++) {
        const term =
          (x.at(row)[c] ?? Number.NaN) * (dy.at(row)[c] ?? Number.NaN) * (gains?.[c] ?? 1);
        sum += term;
        squares += term ** 2;
      }
      const lost = sumError(count, squares, sum) + 8 * unitRoundoff.f32 * Math.sqrt(squares);
      const accepted = share * lost + 4 * storedError(share * sum, "f32");
      deviation.add(own[at] ?? Number.NaN, share * sum, accepted, row, at);
    }
    for (const c of [2, 3]) deviation.same(own[c] ?? Number.NaN, 0, row, c);
    await operands.pace(4 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

/** Each head as a row of its own. */
export async function checkHeadNormGradient(
  shape: NormedHeadsShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { rows, heads, kvHeads, headDim, columns, norm } = shape;
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const [x, dy, dx] = [
    await operands.rows("x", columns, runs),
    await operands.rows("dy", columns, runs),
    await operands.rows("dx", columns, runs),
  ];
  const floats = async (name: string) =>
    operands.has(name) ? await operands.floats(name) : undefined;
  const gains = operands.has("gains") ? await operands.tensor("gains") : undefined;
  const [squares, products] = [await floats("squares"), await floats("products")];
  const statistics = await operands.floats("statistics");
  const all = heads + kvHeads;
  const rule = { columns: headDim, epsilon: norm.epsilon, centered: norm.kind === "each-head" };
  for (const row of rowsOf(runs)) {
    for (let head = 0; head < all; head++) {
      const [first, isKey] = [head * headDim, head >= heads ? 1 : 0];
      const firstGain = (hasOwnHeadGains(shape) ? head : isKey) * headDim;
      const part = (values: Float32Array) => values.subarray(first, first + headDim);
      const given = part(dy.at(row));
      const means: NormMeans | undefined = squares &&
        products && {
          square: squares[4 * row + isKey] ?? Number.NaN,
          product: products[4 * row + isKey] ?? Number.NaN,
        };
      const at = 2 * (row * all + head);
      const own = {
        x: Float64Array.from(part(x.at(row))),
        weighted: Float64Array.from(
          given,
          (value, c) => value * (gains === undefined ? 1 : (gains[firstGain + c] ?? Number.NaN)),
        ),
        residual: undefined,
        dx: part(dx.at(row)),
        statistics: statistics.subarray(at, at + 2),
        means,
      };
      checkNormedRow(own, { row, column: first }, rule, operands, deviation);
    }
    for (let c = all * headDim; c < columns; c++) {
      deviation.same(dx.at(row)[c] ?? Number.NaN, dy.at(row)[c] ?? Number.NaN, row, c);
    }
    await operands.pace(16 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

/** With the statistics that the kernel read. */
export async function checkHeadGainGradient(
  shape: HeadGainGradientShape,
  operands: Operands,
  { effort }: CheckSampling,
): Promise<Coverage> {
  const { rows, heads, kvHeads, headDim, columns } = shape;
  const deviation = createDeviation();
  const size = headGainElements(shape);
  const total = createColumnSums(size);
  const statistics = await operands.floats("statistics");
  const all = heads + kvHeads;
  for (const piece of piecesOf(rows, 2 * columns, 4 * effort.rowElements)) {
    const x = await operands.rows("x", columns, [piece]);
    const dy = await operands.rows("dy", columns, [piece]);
    for (const row of rowsOf([piece])) {
      for (let i = 0; i < all * headDim; i++) {
        const head = Math.floor(i / headDim);
        const at = 2 * (row * all + head);
        const [mean = Number.NaN, scale = Number.NaN] = statistics.subarray(at, at + 2);
        const part = hasOwnHeadGains(shape) ? head : Number(head >= heads);
        const normed = ((x.at(row)[i] ?? Number.NaN) - mean) * scale;
        addTerm(total, part * headDim + (i % headDim), (dy.at(row)[i] ?? Number.NaN) * normed);
      }
      await operands.pace(4 * columns);
    }
  }
  const terms = rows * (hasOwnHeadGains(shape) ? 1 : Math.max(heads, kvHeads));
  await checkColumnSums(total, terms, "dgains", operands, deviation);
  return { unit: "results", checked: size, total: size, deviation };
}
