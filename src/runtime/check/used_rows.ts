import { bytesPerElement, rowPitch } from "../../kernels/storage.ts";
import type { UsedRows } from "../../kernels/used_rows.ts";
import type { KernelInstruction } from "../../program/program.ts";
import { type CheckView, type Operands, operandsOf } from "./view.ts";

/** Rows that the kernel read and wrote in this run. */
export async function usedRows(
  { rows, grouped }: UsedRows & { readonly rows: number },
  operands: Pick<Operands, "words">,
): Promise<number> {
  if (grouped === undefined) return rows;
  return Math.min(rows, (await operands.words("offsets"))[grouped.experts] ?? 0);
}

/** Bytes that they take of each result; those beyond are left as they were. */
export async function usedBytes(instruction: KernelInstruction, view: CheckView): Promise<number> {
  const { shape, dtype } = instruction;
  if (!("grouped" in shape)) return Infinity;
  const rows = await usedRows(shape, operandsOf(instruction, view));
  return rows * rowPitch(shape.columns) * bytesPerElement(dtype);
}
