import type { UsedRows } from "../../kernels/used_rows.ts";
import type { Operands } from "./view.ts";

/** Rows that the kernel read and wrote in this run. */
export async function usedRows(
  { rows, grouped }: UsedRows & { readonly rows: number },
  operands: Pick<Operands, "words">,
): Promise<number> {
  if (grouped === undefined) return rows;
  return Math.min(rows, (await operands.words("offsets"))[grouped.experts] ?? 0);
}
