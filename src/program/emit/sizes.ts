// How large what an op reads and writes is on one rank.

import type { UsedRows } from "../../kernels/used_rows.ts";
import type { ActivationOp } from "../op.ts";
import { partOn, type Tensor, type View, whole } from "../tensor.ts";
import { tileOf } from "../tile.ts";

/** Extents of a view on one rank; all but the first and the last are the tensor's. */
export function shapeOn({ tensor, window, tile }: View, rank: number): readonly number[] {
  const part = partOn(tensor, rank);
  if (part === undefined) throw new Error(`${tensor.name} is not on rank ${rank}`);
  const shape = window === undefined ? part.shape : [window.rows, ...part.shape.slice(1)];
  return tile === undefined ? shape : [...shape.slice(0, -1), tileOf(shape.at(-1) ?? 1, tile).size];
}

export function sizes(tensor: Tensor, rank: number): readonly number[] {
  return shapeOn(whole(tensor), rank);
}

/** Which rows of an embedding's table the rank holds. */
export function tableRows(table: Tensor, rank: number) {
  const part = partOn(table, rank);
  const first = part?.content?.kind === "uniform" ? part.content.offset[0] : 0;
  return { vocabularyStart: first ?? 0, vocabularyRows: part?.shape[0] ?? 0 };
}

/** Which rows of an element-wise kernel are in use. */
export function groupedOn(
  { offsets, expectedRows }: Pick<ActivationOp, "offsets" | "expectedRows">,
  rank: number,
): UsedRows {
  if (offsets === undefined || expectedRows === undefined) return {};
  const [ends = 1] = sizes(offsets, rank);
  return { grouped: { experts: ends - 1, expectedRows } };
}
