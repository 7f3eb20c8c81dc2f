// A matrix product of the program, verified after it has run: by Freivalds' check, and where its kernel also
// finishes it, with an activation say, on what was finished.

import { kernelOf } from "../kernels/catalog.ts";
import type { GroupedMatmulShape } from "../kernels/grouped_matmul.ts";
import { bindingsOf } from "../kernels/kernel.ts";
import type { MatmulShape } from "../kernels/matmul.ts";
import type { Finish } from "../kernels/product.ts";
import { rowPitch } from "../kernels/storage.ts";
import type { Instruction, KernelInstruction } from "../program/program.ts";
import { createPace, decodeStorage, type Pause } from "./decode.ts";
import { type FinishTables, finishError } from "./finished.ts";
import { type Product, residualOf } from "./freivalds.ts";

export interface FreivaldsReport {
  /** Largest residual of any row of any product, and largest error of what finished any; both relative. */
  readonly residual: number;
  readonly checked: number;
  /** Products hidden by what finished them, for which the GPU had no memory to compute them without. */
  readonly skipped: number;
}

/** What the check sees of the rank: all the bytes of a buffer. */
export interface ProductView {
  readonly read: (buffer: string) => Promise<Uint8Array<ArrayBuffer>>;
  /** What this writes, when it is run anew, in place of `y`; undefined where there is no memory for that. */
  readonly compute: (plain: KernelInstruction) => Promise<Uint8Array<ArrayBuffer> | undefined>;
  readonly pause: Pause;
}

type ProductInstruction = Extract<
  KernelInstruction,
  { readonly kernel: "matmul" | "grouped_matmul" }
>;

export const emptyReport: FreivaldsReport = { residual: 0, checked: 0, skipped: 0 };

export const mergeReports = (a: FreivaldsReport, b: FreivaldsReport): FreivaldsReport => ({
  residual: Math.max(a.residual, b.residual),
  checked: a.checked + b.checked,
  skipped: a.skipped + b.skipped,
});

/** A stand-in's product is nobody's result. */
export const isProduct = (instruction: Instruction): boolean =>
  instruction.op === "kernel" &&
  instruction.origin.standIn !== true &&
  (instruction.kernel === "matmul" || instruction.kernel === "grouped_matmul");

export async function checkProduct(
  instruction: KernelInstruction,
  { read, compute, pause }: ProductView,
  random: () => number,
): Promise<FreivaldsReport> {
  if (instruction.kernel !== "matmul" && instruction.kernel !== "grouped_matmul") {
    return emptyReport;
  }
  const { dtype, shape } = instruction;
  const pace = createPace(pause);
  const decode = async (bytes: Uint8Array<ArrayBuffer>) => decodeStorage(bytes, dtype, pace);
  const bound = boundBuffers(instruction);
  const tensor = async (name: string) => decode(await read(bound.get(name) ?? ""));
  const table = async (name: keyof FinishTables) =>
    bound.has(name) ? { [name]: await tensor(name) } : {};

  const y = await tensor("y");
  let plain = y;
  if (isFinished(shape)) {
    const bytes = await compute(unfinished(instruction, bound));
    if (bytes === undefined) return { ...emptyReport, skipped: 1 };
    plain = await decode(bytes);
  }
  const operands = { x: await tensor("x"), w: await tensor("w"), y: plain };
  const products =
    instruction.kernel === "matmul"
      ? denseProducts(instruction.shape, operands)
      : expertProducts(instruction.shape, operands, await read(bound.get("offsets") ?? ""));
  let residual = 0;
  if (isFinished(shape)) {
    const tables = {
      ...(await table("bias")),
      ...(await table("gate")),
      ...(await table("residual")),
    };
    const partRows = products.map(({ m }) => m);
    residual = await finishError(shape, tables, plain, y, partRows, shape.n, pace);
  }
  for (const product of products) {
    residual = Math.max(residual, await residualOf(product, random, pace));
  }
  return { residual, checked: 1, skipped: 0 };
}

/** Buffers by the names of the kernel's bindings. */
const boundBuffers = (instruction: ProductInstruction): ReadonlyMap<string, string> =>
  new Map(
    bindingsOf(kernelOf(instruction), instruction.shape).map(({ name }, index) => [
      name,
      instruction.buffers[index] ?? "",
    ]),
  );

const isFinished = ({ activation, scale = 1, bias, gate, residual }: Finish): boolean =>
  activation !== "none" || scale !== 1 || bias === true || gate === true || residual === true;

/** The product by itself. */
function unfinished(
  instruction: ProductInstruction,
  bound: ReadonlyMap<string, string>,
): KernelInstruction {
  const buffers = ["x", "w", "offsets", "y"].flatMap((name) => bound.get(name) ?? []);
  if (instruction.kernel === "matmul") {
    const { m, n, k, batch, transposed } = instruction.shape;
    const shape = { m, n, k, activation: "none" } as const;
    const layout = { ...(batch && { batch }), ...(transposed && { transposed }) };
    return { ...instruction, shape: { ...shape, ...layout }, buffers };
  }
  const { experts, rows, expectedRows, n, k, transposed } = instruction.shape;
  const shape = { experts, rows, expectedRows, n, k, activation: "none" } as const;
  return { ...instruction, shape: { ...shape, ...(transposed && { transposed }) }, buffers };
}

type Operands = Pick<Product, "x" | "w" | "y">;

/** Rows of a tensor whose rows have that many columns. */
const rowsOf = (values: Float32Array, first: number, end: number, columns: number): Float32Array =>
  values.subarray(first * rowPitch(columns), end * rowPitch(columns));

function denseProducts(
  { m, n, k, batch = 1, transposed }: MatmulShape,
  { x, w, y }: Operands,
): Product[] {
  return Array.from({ length: batch }, (_, part) => ({
    m,
    n,
    k,
    x:
      transposed === "x"
        ? transpose(rowsOf(x, part * k, (part + 1) * k, m), k, m)
        : rowsOf(x, part * m, (part + 1) * m, k),
    w:
      transposed === "w"
        ? transpose(rowsOf(w, part * n, (part + 1) * n, k), n, k)
        : rowsOf(w, part * k, (part + 1) * k, n),
    y: rowsOf(y, part * m, (part + 1) * m, n),
  }));
}

function expertProducts(
  { experts, n, k, transposed }: GroupedMatmulShape,
  { x, w, y }: Operands,
  offsets: Uint8Array<ArrayBuffer>,
): Product[] {
  const first = new Uint32Array(offsets.buffer);
  return Array.from({ length: experts }, (_, e) => {
    const [begin, end] = [first[e] ?? 0, first[e + 1] ?? 0];
    return {
      m: end - begin,
      n,
      k,
      x: rowsOf(x, begin, end, k),
      w:
        transposed === "w"
          ? transpose(rowsOf(w, e * n, (e + 1) * n, k), n, k)
          : rowsOf(w, e * k, (e + 1) * k, n),
      y: rowsOf(y, begin, end, n),
    };
  });
}

/** [rows, columns] as [columns, rows]. */
function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(columns * rowPitch(rows));
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const value = values[row * rowPitch(columns) + column];
      result[column * rowPitch(rows) + row] = value ?? Number.NaN;
    }
  }
  return result;
}
