// Norms and the sums that are fused with them, made again in f64 row by row.

import type { KernelInstruction } from "../../program/program.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { checkPadding, checkSum } from "./rows.ts";
import { allRows, countRows, rowsOf, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

type NormCall = Extract<
  KernelInstruction,
  { readonly kernel: "rms_norm" | "layer_norm" | "add_rms_norm" | "add_layer_norm" }
>;

export async function checkNorm(
  { kernel, shape }: NormCall,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { rows, columns, epsilon } = shape;
  const inputColumns = ("inputColumns" in shape ? shape.inputColumns : undefined) ?? columns;
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const isFused = operands.has("sum");
  const x = await operands.rows(isFused ? "sum" : "x", inputColumns, runs);
  const y = await operands.rows("y", columns, runs);
  const vector = async (name: string): Promise<Float32Array> =>
    (await operands.rows(name, columns, allRows(1))).at(0);
  const gain = await vector("gain");
  const bias = operands.has("bias") ? await vector("bias") : undefined;
  const isCentered = kernel === "layer_norm" || kernel === "add_layer_norm";
  for (const row of rowsOf(runs)) {
    const norm = { columns, epsilon, gain, bias, isCentered, isFused };
    checkRow(x.at(row), y.at(row), row, norm, operands, deviation);
    await operands.pace(8 * columns);
  }
  if (isFused) {
    const a = await operands.rows("a", columns, runs);
    const b = await operands.rows("b", columns, runs);
    const scale = "scale" in shape ? shape.scale : undefined;
    for (const row of rowsOf(runs)) {
      checkSum(a.at(row), b.at(row), x.at(row), row, { columns, scale }, operands, deviation);
      await operands.pace(4 * columns);
    }
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

interface Norm {
  readonly columns: number;
  readonly epsilon: number;
  readonly gain: Float32Array;
  readonly bias: Float32Array | undefined;
  /** The mean is taken off. */
  readonly isCentered: boolean;
  /**
   * Of a sum that the same kernel stores. Compilers may go on with it as it was before it was rounded to f16 (Mesa
   * does), and then the norm is of values that differ by that rounding from those that are read here.
   */
  readonly isFused: boolean;
}

function checkRow(
  x: Float32Array,
  y: Float32Array,
  row: number,
  { columns, epsilon, gain, bias, isCentered, isFused }: Norm,
  { dtype }: Operands,
  deviation: Deviation,
): void {
  let sum = 0;
  let squares = 0;
  for (let c = 0; c < columns; c++) {
    const value = x[c] ?? Number.NaN;
    sum += value;
    squares += value * value;
  }
  const mean = isCentered ? sum / columns : 0;
  let spread = 0;
  for (let c = 0; c < columns; c++) spread += ((x[c] ?? Number.NaN) - mean) ** 2;
  const variance = spread / columns;
  const scale = 1 / Math.sqrt(variance + epsilon);
  const u = unitRoundoff.f32;
  const root = Math.sqrt(columns);
  // Squares are of one sign, and lanes add a part of them each; a mean that is taken off costs what it exceeds.
  const offset = mean ** 2 / Math.max(variance, Number.MIN_VALUE);
  // Roundings of all columns are independent: of their mean, a root of their number is left, four times at most.
  const unrounded = isFused && dtype === "f16" ? unitRoundoff.f16 : 0;
  const perRow = (4 * unrounded) / root;
  const share = Math.min(1 + offset, 2 ** 20);
  const scaleError = u * (8 + (root / 2) * share) + perRow * share;
  const meanSquare = Math.sqrt(squares / columns);
  const meanError = isCentered
    ? 4 * u * (meanSquare + root * Math.abs(mean)) + perRow * meanSquare
    : 0;
  for (let c = 0; c < columns; c++) {
    const g = gain[c] ?? Number.NaN;
    const b = bias?.[c] ?? 0;
    const value = x[c] ?? Number.NaN;
    const scaled = (value - mean) * scale * g;
    const accepted =
      storedError(scaled + b, dtype) +
      scaleError * Math.abs(scaled) +
      (meanError + unrounded * Math.abs(value)) * scale * Math.abs(g) +
      2 * storedError(b, "f32");
    deviation.add(y[c] ?? Number.NaN, scaled + b, accepted, row, c);
  }
  checkPadding(y, row, columns, deviation);
}
