// Kernels that make each row of their result from rows of their operands, made again in f64 from what the operands
// held in this run.

import type { KernelInstruction } from "../../program/program.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import { positionOf } from "../../kernels/positions.ts";
import { rowPitch } from "../../kernels/storage.ts";
import type { Coverage } from "./coverage.ts";
import { countRows, runsOf, rowsOf, type Run, sampleRows } from "./sample.ts";
import type { Operands, PaddedRows, CheckSampling } from "./view.ts";

type Call<Name extends KernelInstruction["kernel"]> = Extract<
  KernelInstruction,
  { readonly kernel: Name }
>;

function coverage(runs: readonly Run[], total: number, deviation: Deviation): Coverage {
  return {
    unit: "rows",
    checked: countRows(runs),
    total,
    deviation,
  };
}

/** What fills a row up to whole quads stays 0. */
export function checkPadding(
  row: Float32Array,
  at: number,
  columns: number,
  deviation: Deviation,
): void {
  for (let c = columns; c < row.length; c++) deviation.same(row[c] ?? Number.NaN, 0, at, c);
}

function same(
  actual: PaddedRows,
  row: number,
  expected: Float32Array,
  from: number,
  to: Deviation,
) {
  const own = actual.at(row);
  for (let c = 0; c < expected.length; c++) {
    to.same(own[from + c] ?? Number.NaN, expected[c] ?? Number.NaN, row, from + c);
  }
}

export async function checkAdd(
  { shape: { rows, columns, scale } }: Call<"add">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const [a, b, y] = [
    await operands.rows("a", columns, runs),
    await operands.rows("b", columns, runs),
    await operands.rows("y", columns, runs),
  ];
  for (const row of rowsOf(runs)) {
    checkSum(a.at(row), b.at(row), y.at(row), row, { columns, scale }, operands, deviation);
    await operands.pace(4 * columns);
  }
  return coverage(runs, rows, deviation);
}

export function checkSum(
  a: Float32Array,
  b: Float32Array,
  y: Float32Array,
  row: number,
  { columns, scale = 1 }: { readonly columns: number; readonly scale: number | undefined },
  { dtype }: Pick<Operands, "dtype">,
  deviation: Deviation,
): void {
  for (let c = 0; c < columns; c++) {
    const [left, right] = [scale * (a[c] ?? Number.NaN), b[c] ?? Number.NaN];
    const sum = left + right;
    const accepted =
      storedError(sum, dtype) +
      storedError(sum, "f32") +
      (scale === 1 ? 0 : 2 * storedError(left, "f32"));
    deviation.add(y[c] ?? Number.NaN, sum, accepted, row, c);
  }
  checkPadding(y, row, columns, deviation);
}

export async function checkSlice(
  { shape: { rows, columns, inputColumns, offset } }: Call<"slice_columns">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, inputColumns, random, effort.rowElements);
  const deviation = createDeviation();
  const x = await operands.rows("x", inputColumns, runs);
  const y = await operands.rows("y", columns, runs);
  for (const row of rowsOf(runs)) {
    same(y, row, x.at(row).subarray(offset, offset + columns), 0, deviation);
    checkPadding(y.at(row), row, columns, deviation);
    await operands.pace(columns);
  }
  return coverage(runs, rows, deviation);
}

export async function checkGather(
  { shape: { rows, pieces, pieceColumns } }: Call<"gather_columns">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const columns = pieces * pieceColumns;
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const y = await operands.rows("y", columns, runs);
  for (let piece = 0; piece < pieces; piece++) {
    const moved = runs.map(({ first, count }) => ({ first: piece * rows + first, count }));
    const x = await operands.rows("x", pieceColumns, moved);
    for (const row of rowsOf(runs)) {
      const own = x.at(piece * rows + row).subarray(0, pieceColumns);
      same(y, row, own, piece * pieceColumns, deviation);
      await operands.pace(pieceColumns);
    }
  }
  for (const row of rowsOf(runs)) checkPadding(y.at(row), row, columns, deviation);
  return coverage(runs, rows, deviation);
}

export async function checkEmbedding(
  { shape }: Call<"embedding">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { tokens, hidden, vocabularyStart, vocabularyRows, tile, scale = 1, positions } = shape;
  const runs = sampleRows(tokens, hidden, random, effort.rowElements);
  const deviation = createDeviation();
  const ids = await operands.words("ids");
  const entryOf = (row: number): number => (ids[row] ?? 0) - vocabularyStart;
  const isOwn = (entry: number): boolean => entry >= 0 && entry < vocabularyRows;
  const y = await operands.rows("y", hidden, runs);
  const entries = runsOf([...rowsOf(runs)].map(entryOf).filter(isOwn));
  const table = await operands.rows("table", hidden, entries);
  const spans = operands.has("spans") ? await operands.words("spans") : undefined;
  const placeOf = (row: number): number =>
    positions === undefined ? 0 : positions.first + positionOf(positions, row, spans);
  const added =
    positions && (await operands.rows("positions", hidden, runsOf([...rowsOf(runs)].map(placeOf))));
  const nothing = new Float32Array(rowPitch(hidden));
  const kept =
    tile !== undefined && tile.index > 0 ? await operands.rowsBefore("y", hidden, runs) : undefined;
  for (const row of rowsOf(runs)) {
    const entry = entryOf(row);
    const left = kept?.at(row) ?? nothing;
    const own = isOwn(entry) ? table.at(entry) : left;
    if (own === left || (scale === 1 && added === undefined)) {
      same(y, row, own, 0, deviation);
    } else {
      // A sum of a scaled row and another, as of two summands.
      const columns = { columns: hidden, scale };
      const other = added?.at(placeOf(row)) ?? nothing;
      checkSum(own, other, y.at(row), row, columns, operands, deviation);
    }
    await operands.pace(hidden);
  }
  return coverage(runs, tokens, deviation);
}

export async function checkSpread(
  { shape: { rows, columns, group, scale } }: Call<"spread_rows">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const sourceOf = (row: number): number => Math.floor(row / group);
  const x = await operands.rows("x", columns, runsOf([...rowsOf(runs)].map(sourceOf)));
  const y = await operands.rows("y", columns, runs);
  for (const row of rowsOf(runs)) {
    const [own, result] = [x.at(sourceOf(row)), y.at(row)];
    for (let c = 0; c < columns; c++) {
      const expected = scale * (own[c] ?? Number.NaN);
      const accepted = 2 * storedError(expected, "f32") + storedError(expected, operands.dtype);
      deviation.add(result[c] ?? Number.NaN, expected, accepted, row, c);
    }
    checkPadding(result, row, columns, deviation);
    await operands.pace(columns);
  }
  return coverage(runs, rows, deviation);
}

export async function checkSoftmax(
  { shape: { rows, columns } }: Call<"softmax">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const x = await operands.rows("x", columns, runs);
  const y = await operands.rows("y", columns, runs);
  for (const row of rowsOf(runs)) {
    const [own, result] = [x.at(row).subarray(0, columns), y.at(row)];
    const largest = own.reduce((most, value) => Math.max(most, value), -Infinity);
    const total = own.reduce((sum, value) => sum + Math.exp(value - largest), 0);
    for (let c = 0; c < columns; c++) {
      const distance = (own[c] ?? Number.NaN) - largest;
      const expected = Math.exp(distance) / total;
      const accepted =
        storedError(expected, operands.dtype) +
        exponentialError(distance) * expected +
        sumError(columns, 0, expected);
      deviation.add(result[c] ?? Number.NaN, expected, accepted, row, c);
    }
    checkPadding(result, row, columns, deviation);
    await operands.pace(8 * columns);
  }
  return coverage(runs, rows, deviation);
}

/** Relative, of e^distance with the sum it is divided by: WGSL grants exp 3 + 2|x| units and a division 2.5. */
export function exponentialError(distance: number): number {
  return (16 + 4 * Math.abs(distance)) * 2 ** -24;
}

/** Of as many results as fit, all rows; one may be the mean of everything. */
export async function checkAggregate(
  { shape: { rows, columns, group, scale }, dtype }: Call<"aggregate">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const results = rows / group;
  const runs = sampleRows(results, group * columns, random, 2 * effort.rowElements);
  const deviation = createDeviation();
  const y = await operands.rows("y", columns, runs);
  for (const result of rowsOf(runs)) {
    const sums = new Float64Array(columns);
    const squares = new Float64Array(columns);
    // Piece by piece: one result may be the mean of everything.
    const step = Math.max(1, Math.floor((4 * effort.rowElements) / columns));
    for (let from = 0; from < group; from += step) {
      const piece = { first: result * group + from, count: Math.min(step, group - from) };
      const x = await operands.rows("x", columns, [piece]);
      for (const row of rowsOf([piece])) {
        const own = x.at(row);
        for (let c = 0; c < columns; c++) {
          const value = own[c] ?? Number.NaN;
          sums[c] = (sums[c] ?? 0) + value;
          squares[c] = (squares[c] ?? 0) + value * value;
        }
        await operands.pace(2 * columns);
      }
    }
    const own = y.at(result);
    for (let c = 0; c < columns; c++) {
      const expected = scale * (sums[c] ?? 0);
      const accepted =
        storedError(expected, dtype) +
        storedError(expected, "f32") +
        scale * sumError(group, squares[c] ?? 0, sums[c] ?? 0);
      deviation.add(own[c] ?? Number.NaN, expected, accepted, result, c);
    }
    checkPadding(own, result, columns, deviation);
  }
  return coverage(runs, results, deviation);
}
