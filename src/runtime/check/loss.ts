// Losses and the gradients of logits, made again in f64 row by row.

import type { CrossEntropyGradientShape } from "../../kernels/cross_entropy_gradient.ts";
import type { CrossEntropyShape } from "../../kernels/cross_entropy.ts";
import type { LogitsShape } from "../../kernels/loss_statistics.ts";
import type { SquaredErrorGradientShape } from "../../kernels/squared_error_gradient.ts";
import type { SquaredErrorShape } from "../../kernels/squared_error.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { checkPadding, exponentialError } from "./rows.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

export async function checkLossStatistics(
  { rows, columns, firstColumn }: LogitsShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const logits = await operands.rows("x", columns, runs);
  const labels = await operands.words("labels");
  const statistics = await operands.rows("statistics", 4, runs);
  for (const row of rowsOf(runs)) {
    const own = logits.at(row).subarray(0, columns);
    const actual = statistics.at(row);
    const largest = own.reduce((most, value) => Math.max(most, value), -Infinity);
    let [sum, accepted] = [0, 0];
    for (const value of own) {
      const term = Math.exp(value - largest);
      sum += term;
      accepted += exponentialError(value - largest) * term;
    }
    const column = (labels[row] ?? 0) - firstColumn;
    const isHere = column >= 0 && column < columns;
    deviation.same(actual[0] ?? Number.NaN, largest, row, 0);
    deviation.add(actual[1] ?? Number.NaN, sum, accepted + sumError(columns, sum, sum), row, 1);
    deviation.same(actual[2] ?? Number.NaN, isHere ? (own[column] ?? Number.NaN) : 0, row, 2);
    deviation.same(actual[3] ?? Number.NaN, isHere ? 1 : 0, row, 3);
    await operands.pace(8 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

interface RowStatistics {
  readonly largest: number;
  readonly sum: number;
  readonly label: number;
  /** Relative, of the sum. */
  readonly error: number;
}

/** Over all blocks of columns. */
function rowStatistics(
  table: Float32Array,
  row: number,
  rows: number,
  blocks: number,
): RowStatistics {
  const at = (block: number, what: number): number =>
    table[4 * (block * rows + row) + what] ?? Number.NaN;
  const all = Array.from({ length: blocks }, (_, block) => block);
  const largest = all.reduce((most, block) => Math.max(most, at(block, 0)), -Infinity);
  let [sum, label, error] = [0, 0, 0];
  for (const block of all) {
    const distance = at(block, 0) - largest;
    const term = at(block, 1) * Math.exp(distance);
    sum += term;
    label += at(block, 2);
    error += (exponentialError(distance) + blocks * 2 ** -24) * term;
  }
  return { largest, sum, label, error: error / sum };
}

export async function checkCrossEntropy(
  { rows, blocks }: CrossEntropyShape,
  operands: Operands,
): Promise<Coverage> {
  const deviation = createDeviation();
  const table = await operands.floats("statistics");
  const losses = await operands.floats("losses");
  for (let row = 0; row < rows; row++) {
    const { largest, sum, label, error } = rowStatistics(table, row, rows, blocks);
    const expected = Math.log(sum) + (largest - label);
    // WGSL grants a logarithm 3 units, and 2⁻²¹ near 1.
    const accepted =
      error +
      2 ** -21 +
      4 * storedError(Math.log(sum), "f32") +
      2 * storedError(largest - label, "f32") +
      storedError(expected, "f32");
    deviation.add(losses[row] ?? Number.NaN, expected, accepted, row, 0);
  }
  for (let row = rows; row < losses.length; row++) deviation.same(losses[row] ?? 1, 0, row, 0);
  await operands.pace(16 * rows * blocks);
  return { unit: "rows", checked: rows, total: rows, deviation };
}

export async function checkCrossEntropyGradient(
  { rows, columns, firstColumn, blocks, scale }: CrossEntropyGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const logits = await operands.rows("logits", columns, runs);
  const labels = await operands.words("labels");
  const table = await operands.floats("statistics");
  const dx = await operands.rows("dx", columns, runs);
  for (const row of rowsOf(runs)) {
    const { largest, sum, error } = rowStatistics(table, row, rows, blocks);
    const label = (labels[row] ?? 0) - firstColumn;
    const [own, actual] = [logits.at(row), dx.at(row)];
    for (let column = 0; column < columns; column++) {
      const distance = (own[column] ?? Number.NaN) - largest;
      const share = (scale * Math.exp(distance)) / sum;
      // Rounded itself, as the shader has it.
      const taken = column === label ? scale : 0;
      const expected = share - taken;
      const accepted =
        (exponentialError(distance) + error + 2 ** -21) * Math.abs(share) +
        storedError(share, "f32") +
        storedError(taken, "f32") +
        storedError(expected, "f32") +
        storedError(expected, operands.dtype);
      deviation.add(actual[column] ?? Number.NaN, expected, accepted, row, column);
    }
    checkPadding(actual, row, columns, deviation);
    await operands.pace(8 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

export async function checkSquaredError(
  { rows, columns }: SquaredErrorShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const x = await operands.rows("x", columns, runs);
  const targets = await operands.rows("targets", columns, runs);
  const losses = await operands.floats("losses");
  for (const row of rowsOf(runs)) {
    let [sum, squares] = [0, 0];
    for (let c = 0; c < columns; c++) {
      const distance = (x.at(row)[c] ?? Number.NaN) - (targets.at(row)[c] ?? Number.NaN);
      sum += distance ** 2 / 2;
      squares += distance ** 4 / 4;
    }
    const accepted = sumError(columns, squares, sum) + 4 * storedError(sum, "f32");
    deviation.add(losses[row] ?? Number.NaN, sum, accepted, row, 0);
    await operands.pace(4 * columns);
  }
  for (let row = rows; row < losses.length; row++) deviation.same(losses[row] ?? 1, 0, row, 0);
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

export async function checkSquaredErrorGradient(
  { rows, columns, scale }: SquaredErrorGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const x = await operands.rows("x", columns, runs);
  const targets = await operands.rows("targets", columns, runs);
  const dx = await operands.rows("dx", columns, runs);
  for (const row of rowsOf(runs)) {
    const actual = dx.at(row);
    for (let c = 0; c < columns; c++) {
      const distance = (x.at(row)[c] ?? Number.NaN) - (targets.at(row)[c] ?? Number.NaN);
      const expected = scale * distance;
      // The scale is rounded, the difference and their product.
      const accepted = 3 * storedError(expected, "f32") + storedError(expected, operands.dtype);
      deviation.add(actual[c] ?? Number.NaN, expected, accepted, row, c);
    }
    checkPadding(actual, row, columns, deviation);
    await operands.pace(4 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}
