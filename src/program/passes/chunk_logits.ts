// A result wider than what it is made from, logits of a vocabulary, which nothing reads but the check: it is made in
// windows of rows, each into the memory of the one before, as soon as that was shown. There are as many windows as the
// result is wider than its input, so that one takes about as much memory as the input does; more where a GPU would not
// bind so many rows.

import type { StorageType } from "../../kernels/storage.ts";
import { tensorBytes } from "../builder.ts";
import type { MatmulOp, ObserveOp, Op } from "../op.ts";
import {
  mapParts,
  partOn,
  sameRanks,
  type Tensor,
  type View,
  type Window,
  whole,
} from "../tensor.ts";
import { windowRows } from "../window.ts";
import { countReads } from "./count_reads.ts";

/** A window of fewer rows would not fill a GPU. */
const fewestRows = 256;

/** @param limit bytes of one binding */
export function chunkLogits(ops: readonly Op[], dtype: StorageType, limit: number): Op[] {
  const readsOf = countReads(ops);
  const shownBy = new Map<Tensor, ObserveOp>();
  for (const op of ops) if (op.op === "observe") shownBy.set(op.x.tensor, op);
  const moved = new Set<Op>();
  const chunked = ops.map((op): readonly Op[] => {
    if (op.op !== "matmul" || op.gate !== undefined || op.residual !== undefined) return [op];
    const shown = shownBy.get(op.y.tensor);
    const isAlone = op.ranks.every((rank) => readsOf(op.y.tensor, rank) === 1);
    if (shown === undefined || !isAlone || !sameRanks(op.ranks, shown.ranks)) return [op];
    const windows = windowsOf(op, dtype, limit);
    if (windows.length < 2) return [op];
    moved.add(shown);
    return inWindows(op, shown, windows);
  });
  return chunked.flat().filter((op) => !moved.has(op));
}

function windowsOf(
  { ranks: [rank = 0], x, y }: MatmulOp,
  dtype: StorageType,
  limit: number,
): Window[] {
  const [rows = 0, columns = 0] = partOn(y.tensor, rank)?.shape ?? [];
  const [, inputColumns = 0] = partOn(x.tensor, rank)?.shape ?? [];
  if (x.window !== undefined || y.window !== undefined || columns <= inputColumns) return [];
  const even = rows / Math.ceil(columns / inputColumns);
  const bound = Math.floor(limit / tensorBytes([windowRows, columns], dtype));
  const wanted = Math.max(fewestRows, Math.ceil(even / windowRows) * windowRows);
  const size = Math.min(wanted, Math.max(1, bound) * windowRows);
  return Array.from({ length: Math.ceil(rows / size) }, (_, i) => ({
    first: i * size,
    rows: Math.min(size, rows - i * size),
  }));
}

function inWindows(product: MatmulOp, shown: ObserveOp, windows: readonly Window[]): Op[] {
  const [{ rows: most } = { rows: 0 }] = windows;
  const { tensor } = product.y;
  const room: Tensor = {
    ...tensor,
    parts: mapParts(tensor.parts, (part) => ({ ...part, shape: [most, ...part.shape.slice(1)] })),
  };
  return windows.flatMap((window): Op[] => {
    const { first, rows } = window;
    const y: View = rows === most ? whole(room) : { tensor: room, window: { first: 0, rows } };
    return [
      { ...product, x: { tensor: product.x.tensor, window }, y },
      {
        ...shown,
        x: y,
        shown: shown.shown.map((each) =>
          "rowOffset" in each ? { ...each, rowOffset: each.rowOffset + first, rows } : each,
        ),
      },
    ];
  });
}
