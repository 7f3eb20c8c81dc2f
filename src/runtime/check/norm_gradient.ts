// Gradients of norms in their input, made again in f64 row by row.

import {
  normInputColumns,
  type NormInputGradientShape,
} from "../../kernels/norm_input_gradient.ts";
import { normStatistics } from "../../reference/backward/norm_rows.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { checkPadding } from "./rows.ts";
import { allRows, countRows, rowsOf, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

export async function checkNormInputGradient(
  shape: NormInputGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { rows, columns } = shape;
  const width = normInputColumns(shape);
  const runs = sampleRows(rows, width, random, effort.rowElements);
  const deviation = createDeviation();
  const x = await operands.rows("x", width, runs);
  const dy = await operands.rows("dy", columns, runs);
  const dx = await operands.rows("dx", width, runs);
  const residual = shape.residual && (await operands.rows("residual", width, runs));
  const gain = (await operands.rows("gain", columns, allRows(1))).at(0);
  const statistics = await operands.floats("statistics");
  for (const row of rowsOf(runs)) {
    const own = {
      x: Float64Array.from(x.at(row).subarray(0, columns)),
      weighted: Float64Array.from(
        { length: columns },
        (_, c) => (dy.at(row)[c] ?? Number.NaN) * (gain[c] ?? Number.NaN),
      ),
      residual: residual?.at(row),
      dx: dx.at(row),
      statistics: statistics.subarray(4 * row, 4 * row + 2),
    };
    const place = { row, column: 0 };
    checkNormedRow(own, place, shape, operands, deviation);
    for (const c of [2, 3]) deviation.same(statistics[4 * row + c] ?? 1, 0, row, width + c);
    for (let c = columns; c < width; c++) {
      deviation.same(own.dx[c] ?? Number.NaN, own.residual?.[c] ?? 0, row, c);
    }
    checkPadding(own.dx, row, width, deviation);
    await operands.pace(16 * width);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

/** A row of a norm, or a head. */
export interface NormedRow {
  readonly x: Float64Array;
  /** dy · gain. */
  readonly weighted: Float64Array;
  readonly residual: Float32Array | undefined;
  readonly dx: Float32Array;
  /** Its mean, and what it was multiplied by. */
  readonly statistics: Float32Array;
  /** Of a norm over more than the row. */
  readonly means?: NormMeans | undefined;
}

export interface NormMeans {
  /** Of squares. */
  readonly square: number;
  /** Of numbers and their weighted gradients. */
  readonly product: number;
}

export interface NormPlace {
  readonly row: number;
  /** The first. */
  readonly column: number;
}

/** A sum over the columns of a row, divided by their number, and how far a right one may be from it. */
interface Mean {
  readonly value: number;
  readonly error: number;
}

function meanOf(columns: number, term: (column: number) => number): Mean {
  let [sum, squares] = [0, 0];
  for (let c = 0; c < columns; c++) {
    const value = term(c);
    sum += value;
    squares += value * value;
  }
  const value = sum / columns;
  return {
    value,
    error: sumError(columns, squares, sum) / columns + 4 * unitRoundoff.f32 * Math.abs(value),
  };
}

/** What the kernel was given. */
function exactly(value: number): Mean {
  return { value, error: 0 };
}

export function checkNormedRow(
  { x, weighted, residual, dx, statistics, means }: NormedRow,
  { row, column }: NormPlace,
  {
    columns,
    epsilon,
    centered = false,
  }: Pick<NormInputGradientShape, "columns" | "epsilon"> & {
    readonly centered?: boolean;
  },
  { dtype }: Operands,
  deviation: Deviation,
): void {
  const u = unitRoundoff.f32;
  const { mean, scale } =
    means === undefined
      ? normStatistics(x, { epsilon, centered })
      : { mean: 0, scale: 1 / Math.sqrt(means.square + epsilon) };
  const off = (c: number): number => (x[c] ?? Number.NaN) - mean;
  const given = (c: number): number => weighted[c] ?? Number.NaN;
  const meanError = centered ? meanOf(columns, (c) => x[c] ?? Number.NaN).error : 0;
  const variance =
    means === undefined ? meanOf(columns, (c) => off(c) ** 2) : exactly(means.square);
  // Relative, of the scale: a mean that is off adds its square to the variance.
  const scaleError = 8 * u + 0.5 * scale ** 2 * (variance.error + meanError ** 2);
  const shift = centered ? meanOf(columns, given) : { value: 0, error: 0 };
  const products =
    means === undefined ? meanOf(columns, (c) => off(c) * given(c)) : exactly(means.product);
  const pull = products.value * scale ** 2;
  const pullError =
    scale ** 2 * (products.error + meanError * (Math.abs(shift.value) + shift.error)) +
    Math.abs(pull) * (2 * scaleError + 4 * u);
  for (let c = 0; c < columns; c++) {
    const pulled = off(c) * pull;
    const gradient = scale * (given(c) - shift.value - pulled);
    const expected = gradient + (residual?.[c] ?? 0);
    const lost =
      4 * u * (Math.abs(given(c)) + Math.abs(shift.value) + Math.abs(pulled)) +
      shift.error +
      Math.abs(off(c)) * pullError +
      Math.abs(pull) * (meanError + 2 * u * Math.abs(x[c] ?? 0));
    const accepted =
      scale * lost +
      scaleError * Math.abs(gradient) +
      storedError(expected, "f32") +
      storedError(expected, dtype);
    deviation.add(dx[c] ?? Number.NaN, expected, accepted, row, column + c);
  }
  const [ownMean = Number.NaN, ownScale = Number.NaN] = statistics;
  deviation.add(ownMean, mean, meanError + storedError(mean, "f32"), row, column + columns);
  deviation.add(ownScale, scale, (scaleError + 4 * u) * scale, row, column + columns + 1);
}
