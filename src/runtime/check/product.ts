// A matrix product of the program, held against its operands of this run: every row by Freivalds' check, some elements
// made again in f64, and what finishes it, an activation say, on every element as far as a fixed number goes. What is
// finished hides the product: it is computed once more without, and held against that.

import type { Finish } from "../../kernels/product.ts";
import { rowPitch, type StorageType } from "../../kernels/storage.ts";
import type { KernelInstruction } from "../../program/program.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { decodeStorage } from "./decode.ts";
import { finished } from "./finish.ts";
import { tablesOf, type TermsAt, termsAt } from "./finish_tables.ts";
import {
  checkRows,
  type CheckedProduct,
  project,
  type RandomProjection,
  type Rounding,
} from "./freivalds.ts";
import { checkPadding } from "./rows.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import { transpose } from "./transpose.ts";
import { type CheckView, type Operands, rowsTogether } from "./view.ts";

export type ProductInstruction = Extract<
  KernelInstruction,
  { readonly kernel: "matmul" | "grouped_matmul" }
>;

/** Projections of weights, which are the same for every micro-batch. */
export type Projections = Map<string, Promise<RandomProjection>>;

export async function checkProduct(
  instruction: ProductInstruction,
  operands: Operands,
  { compute, random, effort }: Pick<CheckView, "compute" | "random" | "effort">,
  projections: Projections,
): Promise<Coverage> {
  const { dtype, shape } = instruction;
  const { pace } = operands;
  const { k, n } = shape;
  const deviation = createDeviation();
  const sizes = await sizesOf(instruction, operands);
  const total = sizes.reduce((sum, { m }) => sum + m, 0);
  const isHidden = isFinished(shape);
  const bytes =
    isHidden && effort.finishedElements > 0
      ? await compute(unfinished(instruction, operands))
      : undefined;
  const plain =
    bytes === undefined
      ? undefined
      : rowsTogether(await decodeStorage(bytes, dtype, pace), n, shape.pitch);
  const rounding = {
    stored: resultType(instruction),
    arithmetic: shape.arithmetic ?? "f32",
  } as const;
  const tables = await tablesOf(operands);
  let checked = 0;
  for (const part of chooseParts(sizes, k * n, effort.weightElements, random)) {
    const product = await productOf(instruction, operands, part);
    const projection = await projectionOf(instruction, operands, part.index, projections, random);
    const terms = termsAt(tables, part.index, rowPitch(shape.pitch ?? n));
    const rows = pickRows(part.m, effort.productRows, random);
    checkElements(product, rows, projection, rounding, shape, terms, deviation);
    await pace(rows.length * projection.columns.size * k);
    if (isHidden && plain === undefined) {
      if (effort.finishedElements > 0) checkNumbers(product, deviation);
      checked += rows.length;
      continue;
    }
    const unhidden = plain === undefined ? product : byItself(product, plain);
    const stored = plain === undefined ? rounding : { ...rounding, stored: dtype };
    await checkRows(unhidden, projection, stored, deviation, pace);
    if (plain === undefined) {
      checked += part.m;
      continue;
    }
    const budget = Math.max(1, Math.floor((effort.finishedElements * part.m) / total));
    const runs = sampleRows(part.m, n, random, budget);
    checked += countRows(runs);
    checkNumbers(product, deviation);
    await pace(part.m * n);
    for (const row of rowsOf(runs)) {
      const doubt = doubtOf(product, row, projection, rounding);
      checkFinish(product, unhidden.y, row, doubt, instruction, terms, deviation);
      await pace(16 * n);
    }
  }
  return { unit: "rows", checked, total, deviation };
}

function resultType({ dtype, shape }: ProductInstruction): StorageType {
  return shape.result === undefined ? dtype : "f32";
}

/** One of the products side by side. */
interface Part {
  readonly index: number;
  readonly firstRow: number;
  readonly m: number;
}

async function sizesOf({ kernel, shape }: ProductInstruction, operands: Operands): Promise<Part[]> {
  if (kernel === "matmul") {
    const { batch = 1, m } = shape;
    return Array.from({ length: batch }, (_, index) => ({ index, firstRow: index * m, m }));
  }
  const offsets = await operands.words("offsets");
  return Array.from({ length: shape.experts }, (_, index) => {
    const [begin, end] = [offsets[index] ?? 0, offsets[index + 1] ?? 0];
    return { index, firstRow: begin, m: end - begin };
  });
}

/** Of those with rows: all, or the first, the last and some between. */
function chooseParts(
  sizes: readonly Part[],
  elements: number,
  most: number,
  random: () => number,
): readonly Part[] {
  const busy = sizes.filter(({ m }) => m > 0);
  const count = Math.max(2, Math.floor(most / elements));
  if (busy.length <= count) return busy;
  const chosen = new Set([0, busy.length - 1]);
  while (chosen.size < count) chosen.add(Math.floor(random() * busy.length));
  return [...chosen].toSorted((a, b) => a - b).flatMap((i) => busy[i] ?? []);
}

async function productOf(
  { shape }: ProductInstruction,
  operands: Operands,
  { index, firstRow, m }: Part,
): Promise<CheckedProduct> {
  const { n, k, transposed } = shape;
  const rows = async (
    name: string,
    columns: number,
    first: number,
    count: number,
    pitch = columns,
  ) => (await operands.rows(name, columns, [{ first, count }], pitch)).values;
  const x =
    transposed === "x"
      ? transpose(await rows("x", m, index * k, k), k, m)
      : await rows("x", k, firstRow, m);
  const own = { m, n, k, firstRow };
  const held = operands.before("y");
  const before = held === undefined ? {} : { before: partOf(held, own) };
  return { ...own, x, y: await rows("y", n, firstRow, m, shape.pitch), ...before };
}

/** Of one part's w. */
async function projectionOf(
  { shape: { n, k, transposed } }: ProductInstruction,
  operands: Operands,
  part: number,
  projections: Projections,
  random: () => number,
): Promise<RandomProjection> {
  const make = async (): Promise<RandomProjection> => {
    const [rows, columns] = transposed === "w" ? [n, k] : [k, n];
    const runs = [{ first: part * rows, count: rows }];
    const { values: w } = await operands.rows("w", columns, runs);
    const own = transposed === "w" ? transpose(w, n, k) : w;
    return project(own, k, n, random, operands.pace);
  };
  // Where x lies transposed, w is no weight: it is another in every micro-batch.
  if (transposed === "x") return make();
  const key = `${operands.bufferOf("w")} ${transposed ?? "plain"} ${part}`;
  const made = projections.get(key) ?? make();
  projections.set(key, made);
  return made;
}

/** What was never written is none. */
function checkNumbers({ y, m, n, firstRow }: CheckedProduct, deviation: Deviation): void {
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      const value = y[row * rowPitch(n) + column] ?? Number.NaN;
      if (Number.isNaN(value)) deviation.same(value, 0, firstRow + row, column);
    }
  }
}

type Place = Pick<CheckedProduct, "firstRow" | "m" | "n">;

function partOf(values: Float32Array, { firstRow, m, n }: Place): Float32Array {
  return values.subarray(firstRow * rowPitch(n), (firstRow + m) * rowPitch(n));
}

/** Neither finished nor added to anything. */
function byItself(
  { before: _before, ...product }: CheckedProduct,
  plain: Float32Array,
): CheckedProduct {
  return { ...product, y: partOf(plain, product) };
}

function isFinished({ activation, scale = 1, bias, gate, rowGate, residual }: Finish): boolean {
  const isAdded = [bias, gate, rowGate, residual].some((each) => each === true);
  return activation !== "none" || scale !== 1 || isAdded;
}

/** The product by itself. */
function unfinished(instruction: ProductInstruction, operands: Operands): KernelInstruction {
  const buffers = ["x", "w", "offsets", "y"].flatMap((name) =>
    operands.has(name) ? [operands.bufferOf(name)] : [],
  );
  if (instruction.kernel === "matmul") {
    const { m, n, k, batch, transposed, pitch } = instruction.shape;
    const shape = { m, n, k, activation: "none", ...(pitch && { pitch }) } as const;
    const layout = { ...(batch && { batch }), ...(transposed && { transposed }) };
    return { ...instruction, shape: { ...shape, ...layout }, buffers };
  }
  const { experts, rows, expectedRows, n, k, transposed, pitch } = instruction.shape;
  const shape = { experts, rows, expectedRows, n, k, activation: "none" } as const;
  const layout = { ...(transposed && { transposed }), ...(pitch && { pitch }) };
  return { ...instruction, shape: { ...shape, ...layout }, buffers };
}

function pickRows(m: number, most: number, random: () => number): number[] {
  const rows = new Set([0, m - 1]);
  while (rows.size < Math.min(m, most)) rows.add(Math.floor(random() * m));
  return [...rows];
}

function checkElements(
  { x, y, before, n, k, firstRow }: CheckedProduct,
  rows: readonly number[],
  { columns }: RandomProjection,
  { stored, arithmetic }: Rounding,
  finish: Finish,
  terms: TermsAt,
  deviation: Deviation,
): void {
  for (const row of rows) {
    const from = row * rowPitch(k);
    for (const [column, weights] of columns) {
      let sum = 0;
      let squares = 0;
      for (let i = 0; i < k; i++) {
        const term = (x[from + i] ?? Number.NaN) * (weights[i] ?? Number.NaN);
        sum += term;
        squares += term * term;
      }
      const doubt = sumError(k, squares, sum, arithmetic);
      const { value, accepted } = finished(sum, doubt, finish, terms(firstRow + row, column));
      const place = row * rowPitch(n) + column;
      const result = value + (before?.[place] ?? 0);
      const actual = y[place] ?? Number.NaN;
      deviation.add(actual, result, accepted + storedError(result, stored), firstRow + row, column);
    }
    const own = y.subarray(row * rowPitch(n), (row + 1) * rowPitch(n));
    checkPadding(own, firstRow + row, n, deviation);
  }
}

/** How far apart two ways to add up an element of this row may be. */
function doubtOf(
  { x, k, n }: CheckedProduct,
  row: number,
  { squares }: RandomProjection,
  { arithmetic }: Rounding,
): number {
  let terms = 0;
  for (let i = 0; i < k; i++) terms += (x[row * rowPitch(k) + i] ?? 0) ** 2 * (squares[i] ?? 0);
  // Columns differ: of an average one, four times.
  return 4 * sumError(k, terms / n, Math.sqrt(terms / n), arithmetic);
}

function checkFinish(
  { y, before, n, firstRow }: CheckedProduct,
  plain: Float32Array,
  row: number,
  doubt: number,
  instruction: ProductInstruction,
  terms: TermsAt,
  deviation: Deviation,
): void {
  const { dtype, shape: finish } = instruction;
  const stored = resultType(instruction);
  for (let column = 0; column < n; column++) {
    const i = row * rowPitch(n) + column;
    const product = plain[i] ?? Number.NaN;
    const lost = doubt + unitRoundoff[dtype] * Math.abs(product) + storedError(0, dtype);
    const { value, accepted } = finished(product, lost, finish, terms(firstRow + row, column));
    const result = value + (before?.[i] ?? 0);
    const actual = y[i] ?? Number.NaN;
    deviation.add(actual, result, accepted + storedError(result, stored), firstRow + row, column);
  }
}
