// Rows that replicas hold, on other groups of ranks: each block of rows is sent by itself.

import { joinTensors, splitEvenly, startsOf, type Shard, type Tensor } from "./tensor.ts";
import { copyRows, type Move, rowsOn, sendRows } from "./transfers.ts";

interface Rows {
  readonly rowOffset: number;
  readonly rows: number;
}

/**
 * Replicated shards, whatever rows they hold → rows [rowOffset, rowOffset + rows) on every member of `to`,
 * each block from a source that is the target itself if it can be.
 */
export function regroupRows(move: Move, shards: readonly Shard[], wanted: Rows): Shard {
  const y = rowsOn(move, `${move.name}/out`, move.to, () => wanted.rows);
  for (const [i, target] of move.to.entries()) fetchRows(move, shards, wanted, y, i, target);
  const { rowOffset, rows } = wanted;
  return { ranks: move.to, rowOffset, rows, placement: { kind: "replicate" }, tensor: y };
}

/** As `regroupRows`, but each member of `to` gets a part of the rows. */
export function regroupSplitRows(
  move: Move,
  shards: readonly Shard[],
  { rowOffset, rows }: Rows,
): Shard {
  const memberRows = splitEvenly(rows, move.to.length);
  const starts = startsOf(memberRows);
  const parts: Tensor[] = [];
  for (const [i, rank] of move.to.entries()) {
    const wanted = { rowOffset: rowOffset + (starts[i] ?? 0), rows: memberRows[i] ?? 0 };
    const own = regroupRows({ ...move, to: [rank] }, shards, wanted);
    parts.push(own.tensor);
  }
  return {
    ranks: move.to,
    rowOffset,
    rows,
    placement: { kind: "rows", rows: memberRows },
    tensor: joinTensors(parts),
  };
}

/** The wanted rows into `y` on one rank. */
function fetchRows(
  move: Move,
  shards: readonly Shard[],
  wanted: Rows,
  y: Tensor,
  member: number,
  target: number,
): void {
  for (const shard of shards) {
    const first = Math.max(shard.rowOffset, wanted.rowOffset);
    const rows = Math.min(shard.rowOffset + shard.rows, wanted.rowOffset + wanted.rows) - first;
    if (rows <= 0) continue;
    const source = shard.ranks.includes(target)
      ? target
      : (shard.ranks[member % shard.ranks.length] ?? target);
    const xRow = first - shard.rowOffset;
    const yRow = first - wanted.rowOffset;
    if (source === target) {
      copyRows(move, target, { x: shard.tensor, xRow, y, yRow, rows });
      continue;
    }
    const name = `${move.name}/${source}-${target}@${first}`;
    const isWhole = xRow === 0 && rows === shard.rows;
    const sent = isWhole ? shard.tensor : rowsOn(move, `${name}/send`, [source], () => rows);
    if (!isWhole) copyRows(move, source, { x: shard.tensor, xRow, y: sent, yRow: 0, rows });
    const isDirect = rows === wanted.rows;
    const received = isDirect ? y : rowsOn(move, `${name}/receive`, [target], () => rows);
    sendRows({ ...move, name, to: [target] }, source, { rows, tensor: sent }, received);
    if (!isDirect) copyRows(move, target, { x: received, xRow: 0, y, yRow, rows });
  }
}
