// One function per way of moving a share from its group to other ranks; each emits the collective on every
// rank that takes part, and the kernel that arranges what arrived.

import { bytesPerElement, paddedElements } from "../kernels/storage.ts";
import type { Builder } from "./builder.ts";
import type { Move } from "./move.ts";
import { inBlocks } from "./overlap.ts";
import { workspaceOf } from "./exchange/workspace.ts";
import type { AllGather, AllReduce, BufferRole, Origin, ReduceScatter } from "./program.ts";
import { sameRanks, splitEvenly, startsOf, union, type Share } from "./value.ts";

const bytesOf = (builder: Builder, elements: number): number =>
  elements * bytesPerElement(builder.dtype);

/** The optional fields of a transfer that one rank needs. */
const roles = (
  move: Move,
  share: Share,
  rank: number,
  sendBytes: number,
  receive: string,
  slot = 0,
) => {
  const sends = share.group.includes(rank);
  if (sends && move.to.some((target) => target !== rank)) {
    move.builder.staging(rank, sendBytes, slot);
  }
  return {
    ...(sends ? { send: share.buffer } : {}),
    ...(move.to.includes(rank) ? { receive } : {}),
  };
};

const header = (move: Move, share: Share) => ({
  origin: move.origin,
  name: move.name,
  channel: move.builder.channel(move.name),
  dtype: move.builder.dtype,
  from: share.group,
  to: move.to,
});

const replicated = (move: Move, share: Share, buffer: string): Share => ({
  group: move.to,
  rowOffset: share.rowOffset,
  rows: share.rows,
  layout: "replicated",
  buffer,
});

const declareRows = (
  { builder, origin, columns }: Pick<Move, "builder" | "origin" | "columns">,
  rank: number,
  id: string,
  rows: number,
  role: BufferRole = "activation",
): string => builder.declare(rank, { id, layer: origin.layer, role, shape: [rows, columns] });

/** Column blocks of `group` → the whole share on `to`. */
export const allGatherColumns = (move: Move, share: Share): Share => {
  const { builder, origin } = move;
  const pieces = share.group.length;
  const pieceColumns = move.columns / pieces;
  const out = `${move.name}/out`;
  for (const rank of move.to) declareRows(move, rank, out, share.rows);
  inBlocks(move, share, pieceColumns, (rank, block) => {
    const count = paddedElements(block.rows, pieceColumns);
    const receives = move.to.includes(rank);
    const workspace = receives
      ? builder.workspace(rank, bytesOf(builder, count * pieces), block.slot)
      : "";
    const bytes = bytesOf(builder, count);
    const transfer: AllGather = {
      op: "all-gather",
      ...header(block.move, block.share),
      counts: share.group.map(() => count),
      ...roles(block.move, block.share, rank, bytes, workspace, block.slot),
    };
    if (!receives) return { transfer };
    return {
      transfer,
      afterwards() {
        builder.kernel(
          rank,
          origin,
          { kernel: "gather_columns", shape: { rows: block.rows, pieces, pieceColumns } },
          [workspace, block.of(rank, out, move.columns)],
        );
      },
    };
  });
  return replicated(move, share, out);
};

/**
 * Row blocks of `group` → the whole share on `to`.
 *
 * @param lasts false: the result is read before the next of its shape is gathered, so all share a buffer
 */
export const allGatherRows = (move: Move, share: Share, lasts = true): Share => {
  const { builder, columns } = move;
  const counts = (share.memberRows ?? []).map((rows) => paddedElements(rows, columns));
  const out = lasts ? `${move.name}/out` : `gathered/${share.rows}x${columns}`;
  for (const rank of union(share.group, move.to)) {
    if (move.to.includes(rank)) {
      const role = lasts ? "activation" : "workspace";
      declareRows(move, rank, out, share.rows, role);
    }
    const own = counts[share.group.indexOf(rank)] ?? 0;
    builder.emit(rank, {
      op: "all-gather",
      ...header(move, share),
      counts,
      ...roles(move, share, rank, bytesOf(builder, own), out),
    });
  }
  return replicated(move, share, out);
};

/** A sum needs room for its summands. */
const withWorkspace = (
  builder: Builder,
  rank: number,
  transfer: AllReduce | ReduceScatter,
  slot = 0,
): AllReduce | ReduceScatter => {
  const { bytes } = workspaceOf(transfer, rank);
  return bytes === 0 ? transfer : { ...transfer, workspace: builder.workspace(rank, bytes, slot) };
};

/** Partial sums of `group` → their sum on every member of `to`. */
export const allReduce = (move: Move, share: Share): Share => {
  const { builder } = move;
  const out = `${move.name}/out`;
  for (const rank of move.to) declareRows(move, rank, out, share.rows);
  inBlocks(move, share, move.columns, (rank, block) => {
    const count = paddedElements(block.rows, move.columns);
    const receives = move.to.includes(rank);
    const bytes = bytesOf(builder, count);
    const target = receives ? block.of(rank, out, move.columns) : "";
    const transfer: AllReduce = {
      op: "all-reduce",
      ...header(block.move, block.share),
      count,
      ...roles(block.move, block.share, rank, bytes, target, block.slot),
    };
    return { transfer: withWorkspace(builder, rank, transfer, block.slot) };
  });
  return replicated(move, share, out);
};

/** Partial sums of `group` → their sum, its rows split over `to`. */
export const reduceScatterRows = (move: Move, share: Share): Share => {
  const { builder } = move;
  const memberRows = splitEvenly(share.rows, move.to.length);
  const counts = memberRows.map((rows) => paddedElements(rows, move.columns));
  const out = `${move.name}/out`;
  for (const rank of union(share.group, move.to)) {
    const j = move.to.indexOf(rank);
    if (j >= 0) declareRows(move, rank, out, memberRows[j] ?? 0);
    const transfer: ReduceScatter = {
      op: "reduce-scatter",
      ...header(move, share),
      counts,
      ...roles(move, share, rank, bytesOf(builder, paddedElements(share.rows, move.columns)), out),
    };
    builder.emit(rank, withWorkspace(builder, rank, transfer));
  }
  return { ...replicated(move, share, out), layout: "rows", memberRows };
};

/** Column blocks of `group` → row blocks on `to`. */
export const columnsToRows = (move: Move, share: Share): Share => {
  const { builder, origin } = move;
  const pieces = share.group.length;
  const pieceColumns = move.columns / pieces;
  const memberRows = splitEvenly(share.rows, move.to.length);
  const rowCounts = memberRows.map((rows) => paddedElements(rows, pieceColumns));
  const counts = share.group.map(() => rowCounts);
  const out = `${move.name}/out`;
  for (const rank of union(share.group, move.to)) {
    const j = move.to.indexOf(rank);
    const rows = memberRows[j] ?? 0;
    const workspace =
      j >= 0 ? builder.workspace(rank, bytesOf(builder, (rowCounts[j] ?? 0) * pieces)) : "";
    const sendBytes = bytesOf(builder, paddedElements(share.rows, pieceColumns));
    builder.emit(rank, {
      op: "all-to-all",
      ...header(move, share),
      counts,
      ...roles(move, share, rank, sendBytes, workspace),
    });
    if (j < 0) continue;
    declareRows(move, rank, out, rows);
    builder.kernel(
      rank,
      origin,
      { kernel: "gather_columns", shape: { rows, pieces, pieceColumns } },
      [workspace, out],
    );
  }
  return { ...replicated(move, share, out), layout: "rows", memberRows };
};

/** The first member's copy of a replicated share → every member of `to`. */
export const broadcast = (move: Move, share: Share): Share => {
  const { builder } = move;
  const source = { ...share, group: share.group.slice(0, 1) };
  const count = paddedElements(share.rows, move.columns);
  for (const rank of union(source.group, move.to)) {
    if (move.to.includes(rank)) declareRows(move, rank, `${move.name}/out`, share.rows);
    builder.emit(rank, {
      op: "broadcast",
      ...header(move, source),
      count,
      ...roles(move, source, rank, bytesOf(builder, count), `${move.name}/out`),
    });
  }
  return replicated(move, share, `${move.name}/out`);
};

/** A replicated share, pairwise: member i of `to` gets it from member i mod group size. */
export const sendPairs = (move: Move, share: Share): Share => {
  for (const [i, target] of move.to.entries()) {
    const source = share.group[i % share.group.length] ?? target;
    sendBlock(
      { ...move, name: `${move.name}/${source}-${target}`, to: [target] },
      { ...share, group: [source] },
      `${move.name}/out`,
    );
  }
  return replicated(move, share, `${move.name}/out`);
};

/** One whole buffer from one rank to one other, or a copy where they are the same. */
const sendBlock = (move: Move, share: Share, out: string): void => {
  const { builder, origin } = move;
  const [source = 0] = share.group;
  const [target = 0] = move.to;
  const count = paddedElements(share.rows, move.columns);
  declareRows(move, target, out, share.rows);
  if (source === target) {
    copyRows(builder, source, origin, move.columns, share.buffer, 0, out, 0, share.rows);
    return;
  }
  const common = { ...header(move, share), count };
  const bytes = bytesOf(builder, count);
  builder.emit(source, { op: "send", ...common, ...roles(move, share, source, bytes, out) });
  builder.emit(target, { op: "recv", ...common, ...roles(move, share, target, bytes, out) });
};

/** Copies whole rows between two buffers of one rank. */
const copyRows = (
  builder: Builder,
  rank: number,
  origin: Origin,
  columns: number,
  source: string,
  sourceRow: number,
  target: string,
  targetRow: number,
  rows: number,
): void => {
  const rowBytes = bytesOf(builder, paddedElements(1, columns));
  builder.emit(rank, {
    op: "copy",
    origin,
    source,
    sourceOffset: sourceRow * rowBytes,
    target,
    targetOffset: targetRow * rowBytes,
    bytes: rows * rowBytes,
  });
};

/** Rows [first, first + rows) of a replicated share as a buffer of their own on one rank. */
export const sliceRows = (
  builder: Builder,
  rank: number,
  origin: Origin,
  id: string,
  columns: number,
  source: string,
  first: number,
  rows: number,
): string => {
  declareRows({ builder, origin, columns }, rank, id, rows);
  copyRows(builder, rank, origin, columns, source, first, id, 0, rows);
  return id;
};

/**
 * Replicated shares, whatever rows they hold → rows [rowOffset, rowOffset + rows) on every member of `to`,
 * each block from a source that is the target itself if it can be.
 */
export const regroupRows = (
  move: Move,
  shares: readonly Share[],
  wanted: { readonly rowOffset: number; readonly rows: number },
): Share => {
  const { builder, origin, columns } = move;
  const out = `${move.name}/out`;
  for (const [i, target] of move.to.entries()) {
    declareRows(move, target, out, wanted.rows);
    for (const share of shares) {
      const first = Math.max(share.rowOffset, wanted.rowOffset);
      const rows = Math.min(share.rowOffset + share.rows, wanted.rowOffset + wanted.rows) - first;
      if (rows <= 0) continue;
      const source = share.group.includes(target)
        ? target
        : (share.group[i % share.group.length] ?? target);
      const from = first - share.rowOffset;
      const at = first - wanted.rowOffset;
      if (source === target) {
        copyRows(builder, target, origin, columns, share.buffer, from, out, at, rows);
        continue;
      }
      const name = `${move.name}/${source}-${target}@${first}`;
      const whole = from === 0 && rows === share.rows;
      const block = whole
        ? share.buffer
        : sliceRows(builder, source, origin, `${name}/send`, columns, share.buffer, from, rows);
      const direct = rows === wanted.rows;
      const landing = direct ? out : `${name}/receive`;
      sendBlock(
        { ...move, name, to: [target] },
        { ...share, group: [source], rows, buffer: block },
        landing,
      );
      if (!direct) copyRows(builder, target, origin, columns, landing, 0, out, at, rows);
    }
  }
  return {
    group: move.to,
    rowOffset: wanted.rowOffset,
    rows: wanted.rows,
    layout: "replicated",
    buffer: out,
  };
};

/** As `regroupRows`, but each member of `to` gets a part of the rows. */
export const regroupSplitRows = (
  move: Move,
  shares: readonly Share[],
  { rowOffset, rows }: { readonly rowOffset: number; readonly rows: number },
): Share => {
  const memberRows = splitEvenly(rows, move.to.length);
  const starts = startsOf(memberRows);
  for (const [i, rank] of move.to.entries()) {
    const wanted = { rowOffset: rowOffset + (starts[i] ?? 0), rows: memberRows[i] ?? 0 };
    regroupRows({ ...move, to: [rank] }, shares, wanted);
  }
  const buffer = `${move.name}/out`;
  return { group: move.to, rowOffset, rows, layout: "rows", memberRows, buffer };
};

export const isWholeOn = (share: Share, group: readonly number[]): boolean =>
  sameRanks(share.group, group) && (share.layout === "replicated" || group.length === 1);
