// Kernels that add up columns over all rows, made again in f64 from all of their operands, piece by piece.

import { rowPitch } from "../../kernels/storage.ts";
import type { KernelInstruction } from "../../program/program.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { checkPadding } from "./rows.ts";
import { rowsOf, type Run } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

type Call<Name extends KernelInstruction["kernel"]> = Extract<
  KernelInstruction,
  { readonly kernel: Name }
>;

/** All rows, in pieces that are read at once. */
export function* piecesOf(rows: number, columns: number, elements: number): Generator<Run> {
  const step = Math.max(1, Math.floor(elements / Math.max(1, columns)));
  for (let first = 0; first < rows; first += step) {
    yield { first, count: Math.min(step, rows - first) };
  }
}

/** Sums of terms by column, and of their squares. */
export interface ColumnSums {
  readonly sums: Float64Array;
  readonly squares: Float64Array;
}

export function createColumnSums(columns: number): ColumnSums {
  return { sums: new Float64Array(columns), squares: new Float64Array(columns) };
}

export function addTerm({ sums, squares }: ColumnSums, column: number, term: number): void {
  sums[column] = (sums[column] ?? 0) + term;
  squares[column] = (squares[column] ?? 0) + term * term;
}

/** A row of f32 against sums of so many terms, or what was there before and they. */
export async function checkColumnSums(
  { sums, squares }: ColumnSums,
  terms: number,
  binding: string,
  operands: Operands,
  deviation: Deviation,
  row = 0,
): Promise<void> {
  const pitch = rowPitch(sums.length);
  const ofRow = (values: Float32Array): Float32Array =>
    values.subarray(row * pitch, (row + 1) * pitch);
  const y = ofRow(await operands.floats(binding));
  const held = operands.before(binding);
  const before = held && ofRow(held);
  for (const [c, sum] of sums.entries()) {
    const expected = sum + (before?.[c] ?? 0);
    const square = squares[c] ?? 0;
    const accepted =
      storedError(expected, "f32") +
      sumError(terms, square, sum) +
      // What a term loses by itself.
      8 * unitRoundoff.f32 * Math.sqrt(square);
    deviation.add(y[c] ?? Number.NaN, expected, accepted, row, c);
  }
  checkPadding(y, row, sums.length, deviation);
}

export async function checkColumns(
  { shape }: Call<"column_sums">,
  operands: Operands,
  { effort }: CheckSampling,
): Promise<Coverage> {
  const { rows, columns, grouped } = shape;
  const deviation = createDeviation();
  const ends = grouped === undefined ? [0, rows] : [...(await operands.words("offsets"))];
  const parts = grouped?.experts ?? 1;
  for (let part = 0; part < parts; part++) {
    const total = createColumnSums(columns);
    const [begin = 0, end = 0] = ends.slice(part, part + 2);
    for (const piece of piecesOf(end - begin, columns, 4 * effort.rowElements)) {
      const run = { ...piece, first: begin + piece.first };
      const x = await operands.rows("x", columns, [run]);
      for (const row of rowsOf([run])) {
        const own = x.at(row);
        for (let c = 0; c < columns; c++) addTerm(total, c, own[c] ?? Number.NaN);
        await operands.pace(2 * columns);
      }
    }
    await checkColumnSums(total, end - begin, "y", operands, deviation, part);
  }
  return { unit: "results", checked: parts * columns, total: parts * columns, deviation };
}

/** With the statistics that the kernel read. */
export async function checkNormWeightGradient(
  { shape }: Call<"norm_weight_gradient">,
  operands: Operands,
  { effort }: CheckSampling,
): Promise<Coverage> {
  const { rows, columns, bias, inputColumns = columns } = shape;
  const deviation = createDeviation();
  const [gains, biases] = [createColumnSums(columns), createColumnSums(columns)];
  const statistics = await operands.floats("statistics");
  for (const piece of piecesOf(rows, 2 * columns, 4 * effort.rowElements)) {
    const x = await operands.rows("x", inputColumns, [piece]);
    const dy = await operands.rows("dy", columns, [piece]);
    for (const row of rowsOf([piece])) {
      const [own, gradient] = [x.at(row), dy.at(row)];
      const [mean = Number.NaN, scale = Number.NaN] = statistics.subarray(4 * row, 4 * row + 2);
      for (let c = 0; c < columns; c++) {
        const given = gradient[c] ?? Number.NaN;
        addTerm(gains, c, given * ((own[c] ?? Number.NaN) - mean) * scale);
        addTerm(biases, c, given);
      }
      await operands.pace(4 * columns);
    }
  }
  await checkColumnSums(gains, rows, "dgain", operands, deviation);
  if (bias === true) await checkColumnSums(biases, rows, "dbias", operands, deviation);
  return { unit: "results", checked: columns, total: columns, deviation };
}
