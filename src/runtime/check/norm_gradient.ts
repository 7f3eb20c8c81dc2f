// Gradients of norms in their input, made again in f64 row by row.

import type { NormInputGradientShape } from "../../kernels/norm_input_gradient.ts";
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
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const x = await operands.rows("x", columns, runs);
  const dy = await operands.rows("dy", columns, runs);
  const dx = await operands.rows("dx", columns, runs);
  const residual = shape.residual && (await operands.rows("residual", columns, runs));
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
      statistics: statistics.subarray(4 * row, 4 * row + 4),
    };
    checkRow(own, row, shape, operands, deviation);
    await operands.pace(16 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

interface Row {
  readonly x: Float64Array;
  /** dy · gain. */
  readonly weighted: Float64Array;
  readonly residual: Float32Array | undefined;
  readonly dx: Float32Array;
  readonly statistics: Float32Array;
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

function checkRow(
  { x, weighted, residual, dx, statistics }: Row,
  row: number,
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
  const { mean, scale } = normStatistics(x, { epsilon, centered });
  const off = (c: number): number => (x[c] ?? Number.NaN) - mean;
  const given = (c: number): number => weighted[c] ?? Number.NaN;
  const meanError = centered ? meanOf(columns, (c) => x[c] ?? Number.NaN).error : 0;
  const variance = meanOf(columns, (c) => off(c) ** 2);
  // Relative, of the scale: a mean that is off adds its square to the variance.
  const scaleError = 8 * u + 0.5 * scale ** 2 * (variance.error + meanError ** 2);
  const shift = centered ? meanOf(columns, given) : { value: 0, error: 0 };
  const products = meanOf(columns, (c) => off(c) * given(c));
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
    deviation.add(dx[c] ?? Number.NaN, expected, accepted, row, c);
  }
  checkPadding(dx, row, columns, deviation);
  const [ownMean = Number.NaN, ownScale = Number.NaN, ...rest] = statistics;
  deviation.add(ownMean, mean, meanError + storedError(mean, "f32"), row, columns);
  deviation.add(ownScale, scale, (scaleError + 4 * u) * scale, row, columns + 1);
  for (const value of rest) deviation.same(value, 0, row, columns + 2);
}
