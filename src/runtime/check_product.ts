// A matrix product of the program, verified after it has run: by Freivalds' check, and where its kernel also
// applies an activation, on what that was applied to.

import type { Activation } from "../kernels/activation.ts";
import type { GroupedMatmulShape } from "../kernels/grouped_matmul.ts";
import { rowPitch } from "../kernels/storage.ts";
import type { Instruction, KernelInstruction } from "../program/program.ts";
import { activationError } from "./activated.ts";
import { createPace, decodeStorage, type Pace, type Pause } from "./decode.ts";
import { type Product, residualOf } from "./freivalds.ts";

export interface FreivaldsReport {
  /** Largest residual of any row of any product, and largest error of any activation; both relative. */
  readonly residual: number;
  readonly checked: number;
  /** Products hidden by an activation, for which the GPU had no memory to compute them without. */
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
  const { buffers, dtype } = instruction;
  const { activation } = instruction.shape;
  const pace = createPace(pause);
  const decode = async (bytes: Uint8Array<ArrayBuffer>) => decodeStorage(bytes, dtype, pace);
  const [xId = "", wId = ""] = buffers;
  const yId = buffers.at(-1) ?? "";

  const y = await decode(await read(yId));
  let plain = y;
  if (activation !== "none") {
    const bytes = await compute(withoutActivation(instruction));
    if (bytes === undefined) return { ...emptyReport, skipped: 1 };
    plain = await decode(bytes);
  }
  const x = await decode(await read(xId));
  const w = await decode(await read(wId));
  const products =
    instruction.kernel === "matmul"
      ? [{ ...instruction.shape, x, w, y: plain }]
      : expertProducts(instruction.shape, await firstRows(read, buffers[2]), x, w, plain);
  let residual = await errorOfActivation(activation, products, plain, y, pace);
  for (const product of products) {
    residual = Math.max(residual, await residualOf(product, random, pace));
  }
  return { residual, checked: 1, skipped: 0 };
}

const withoutActivation = (instruction: ProductInstruction): KernelInstruction =>
  instruction.kernel === "matmul"
    ? { ...instruction, shape: { ...instruction.shape, activation: "none" } }
    : { ...instruction, shape: { ...instruction.shape, activation: "none" } };

const firstRows = async (
  read: ProductView["read"],
  offsets: string | undefined,
): Promise<Uint32Array> => new Uint32Array((await read(offsets ?? "")).buffer);

function expertProducts(
  { experts, n, k }: GroupedMatmulShape,
  first: Uint32Array,
  x: Float32Array,
  w: Float32Array,
  y: Float32Array,
): Product[] {
  return Array.from({ length: experts }, (_, e) => {
    const [begin, end] = [first[e] ?? 0, first[e + 1] ?? 0];
    return {
      m: end - begin,
      n,
      k,
      x: x.subarray(begin * rowPitch(k), end * rowPitch(k)),
      w: w.subarray(e * k * rowPitch(n), (e + 1) * k * rowPitch(n)),
      y: y.subarray(begin * rowPitch(n), end * rowPitch(n)),
    };
  });
}

/** Of all products of the instruction, whose rows lie one after the other. */
async function errorOfActivation(
  activation: Activation,
  products: readonly Product[],
  plain: Float32Array,
  y: Float32Array,
  pace: Pace,
): Promise<number> {
  const rows = products.reduce((sum, { m }) => sum + m, 0);
  const columns = products[0]?.n ?? 0;
  return activation === "none" ? 0 : activationError(activation, plain, y, rows, columns, pace);
}
