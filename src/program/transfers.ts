// One function per collective that brings a shard from its group to other ranks, with the kernel that arranges what
// arrived.

import { paddedElements } from "../kernels/storage.ts";
import type { NewOp } from "./op.ts";
import type { Amount } from "./transfer_op.ts";
import type { OpOrigin } from "./program.ts";
import { shapesOn, splitEvenly, union, whole, type Shard, type Tensor } from "./tensor.ts";

/** A shard on its way to other ranks. */
export interface Move {
  readonly add: (op: NewOp) => void;
  readonly origin: OpOrigin;
  readonly name: string;
  readonly columns: number;
  readonly to: readonly number[];
}

/** [rows, columns] on each of the ranks. */
export function rowsOn(
  { origin, columns }: Pick<Move, "origin" | "columns">,
  name: string,
  ranks: readonly number[],
  rowsOf: (member: number) => number,
  role: Tensor["role"] = "activation",
): Tensor {
  return {
    name,
    layer: origin.layer,
    role,
    parts: shapesOn(ranks, (i) => [rowsOf(i), columns]),
  };
}

/** Room for pieces side by side on each of the ranks, until they are woven together. */
function piecesOn(
  { origin }: Move,
  ranks: readonly number[],
  elementsOf: (member: number) => number,
): Tensor {
  return {
    name: "workspace",
    layer: origin.layer,
    role: "workspace",
    slot: 0,
    parts: shapesOn(ranks, (i) => [1, elementsOf(i)]),
  };
}

function collective(move: Move, shard: Shard, amount: Amount, y: Tensor): void {
  const { add, origin, name, to } = move;
  add({
    op: "collective",
    origin,
    ranks: union(shard.ranks, to),
    name,
    channelName: name,
    from: shard.ranks,
    to,
    amount,
    slot: 0,
    x: whole(shard.tensor),
    y: whole(y),
  });
}

function replicatedOn(move: Move, shard: Shard, tensor: Tensor): Shard {
  return {
    ranks: move.to,
    rowOffset: shard.rowOffset,
    rows: shard.rows,
    placement: { kind: "replicate" },
    tensor,
  };
}

function outOf(move: Move): string {
  return `${move.name}/out`;
}

/** Column blocks of a group → the whole on `to`. */
export function allGatherColumns(move: Move, shard: Shard): Shard {
  const { add, origin, to, columns } = move;
  const pieces = shard.ranks.length;
  const count = paddedElements(shard.rows, columns / pieces);
  const gathered = piecesOn(move, to, () => count * pieces);
  collective(move, shard, { kind: "all-gather", counts: shard.ranks.map(() => count) }, gathered);
  const y = rowsOn(move, outOf(move), to, () => shard.rows);
  add({ op: "gather-columns", origin, ranks: to, x: gathered, y: whole(y), pieces });
  return replicatedOn(move, shard, y);
}

/**
 * Row blocks of a group → the whole on `to`.
 *
 * @param lasts false: the result is read before the next of its shape is gathered, so all share a buffer
 */
export function allGatherRows(move: Move, shard: Shard, lasts = true): Shard {
  const { columns, to } = move;
  const rows = shard.placement.kind === "rows" ? shard.placement.rows : [];
  const counts = rows.map((own) => paddedElements(own, columns));
  const y = lasts
    ? rowsOn(move, outOf(move), to, () => shard.rows)
    : rowsOn(move, `gathered/${shard.rows}x${columns}`, to, () => shard.rows, "workspace");
  collective(move, shard, { kind: "all-gather", counts }, y);
  return replicatedOn(move, shard, y);
}

/** Partial sums of a group → their sum on every member of `to`. */
export function allReduceRows(move: Move, shard: Shard): Shard {
  const y = rowsOn(move, outOf(move), move.to, () => shard.rows);
  const count = paddedElements(shard.rows, move.columns);
  collective(move, shard, { kind: "all-reduce", count }, y);
  return replicatedOn(move, shard, y);
}

/** Partial sums of a group → their sum, its rows divided among `to`. */
export function reduceScatterRows(move: Move, shard: Shard): Shard {
  const rows = splitEvenly(shard.rows, move.to.length);
  const counts = rows.map((own) => paddedElements(own, move.columns));
  const y = rowsOn(move, outOf(move), move.to, (i) => rows[i] ?? 0);
  collective(move, shard, { kind: "reduce-scatter", counts }, y);
  return { ...replicatedOn(move, shard, y), placement: { kind: "rows", rows } };
}

/** Column blocks of a group → row blocks on `to`. */
export function allToAllRows(move: Move, shard: Shard): Shard {
  const { add, origin, to, columns } = move;
  const pieces = shard.ranks.length;
  const rows = splitEvenly(shard.rows, to.length);
  const counts = rows.map((own) => paddedElements(own, columns / pieces));
  const received = piecesOn(move, to, (i) => (counts[i] ?? 0) * pieces);
  collective(move, shard, { kind: "all-to-all", counts: shard.ranks.map(() => counts) }, received);
  const y = rowsOn(move, outOf(move), to, (i) => rows[i] ?? 0);
  add({ op: "gather-columns", origin, ranks: to, x: received, y: whole(y), pieces });
  return { ...replicatedOn(move, shard, y), placement: { kind: "rows", rows } };
}

/** The first member's copy of a replicated shard → every member of `to`. */
export function broadcastRows(move: Move, shard: Shard): Shard {
  const y = rowsOn(move, outOf(move), move.to, () => shard.rows);
  const count = paddedElements(shard.rows, move.columns);
  const source = { ...shard, ranks: shard.ranks.slice(0, 1) };
  collective(move, source, { kind: "broadcast", count }, y);
  return replicatedOn(move, shard, y);
}

/** A replicated shard, pairwise: member i of `to` gets it from member i mod group size. */
export function sendPairs(move: Move, shard: Shard): Shard {
  const y = rowsOn(move, outOf(move), move.to, () => shard.rows);
  for (const [i, target] of move.to.entries()) {
    const source = shard.ranks[i % shard.ranks.length] ?? target;
    sendRows({ ...move, name: `${move.name}/${source}-${target}`, to: [target] }, source, shard, y);
  }
  return replicatedOn(move, shard, y);
}

/** All rows of a rank's tensor to another rank, or a copy where they are the same. */
export function sendRows(
  move: Move,
  source: number,
  { rows, tensor }: Pick<Shard, "rows" | "tensor">,
  y: Tensor,
): void {
  const { add, origin, columns, name, to } = move;
  if (to[0] === source) {
    copyRows(move, source, { x: tensor, xRow: 0, y, yRow: 0, rows });
    return;
  }
  add({
    op: "collective",
    origin,
    ranks: [source, ...to],
    name,
    channelName: name,
    from: [source],
    to,
    amount: { kind: "send", count: paddedElements(rows, columns) },
    slot: 0,
    x: whole(tensor),
    y: whole(y),
  });
}

export interface CopiedRows {
  readonly x: Tensor;
  readonly xRow: number;
  readonly y: Tensor;
  readonly yRow: number;
  readonly rows: number;
}

/** Whole rows between two tensors of one rank. */
export function copyRows({ add, origin, columns }: Move, rank: number, copied: CopiedRows): void {
  add({ op: "copy", origin, ranks: [rank], columns, ...copied });
}
