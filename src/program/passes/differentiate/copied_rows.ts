// Gradients of rows that ranks took of what others hold too.

import type { CopyOp } from "../../op.ts";
import { partOn, type Tensor, union, whole } from "../../tensor.ts";
import { gradientTensor } from "./book.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
import { brought, channel, elementsOn, joined, settle, type Walk } from "./walk.ts";

/** Of rows that each rank took of what all hold: gathered on all of them, once. */
function rowsGradients(walk: Walk, op: CopyOp): void {
  const { x } = op;
  const taken = walk.rowsTaken(op);
  // Of a walk backward the last is the first that was taken.
  if (op !== taken[0]) return;
  const all = taken.toSorted((a, b) => a.xRow - b.xRow);
  const isEach = all.every(({ y, yRow, ranks: [rank = 0], rows }) => {
    return yRow === 0 && partOn(y, rank)?.shape[0] === rows;
  });
  if (
    !isEach ||
    all.reduce((sum, { rows }) => sum + rows, 0) !== partOn(x, x.parts.ranks[0] ?? 0)?.shape[0]
  ) {
    throw new NotDifferentiable(`${op.origin.layer}: some rows of ${x.name}`);
  }
  const pieces = all.flatMap((each) => {
    const tensor = settle(walk, each, each.y);
    return tensor === undefined ? [] : [{ ranks: each.ranks, tensor }];
  });
  if (pieces.length < all.length) return;
  const from = all.flatMap(({ ranks }) => ranks);
  const to = x.parts.ranks;
  const name = `${op.y.name}/gradient`;
  if (new Set(from).size < from.length) {
    rowsOfOneRank(
      walk,
      all,
      pieces.map(({ tensor }) => tensor),
      name,
    );
    return;
  }
  const dx = gradientTensor(x, `${name}/gathered`, to);
  walk.emit({
    op: "collective",
    ...walk.siteOf(op),
    ranks: union(from, to),
    ...channel(`${name}/${to[0]}`),
    from,
    to,
    amount: {
      kind: "all-gather",
      counts: all.map(({ y, ranks: [rank = 0] }) => elementsOn(y, rank)),
    },
    x: whole(joined(name, pieces)),
    y: whole(dx),
  });
  walk.book.add(x, to, { tensor: dx });
}

/** Of rows that one rank took, to be sent on: put together there, and brought to all that hold them. */
function rowsOfOneRank(
  walk: Walk,
  all: readonly CopyOp[],
  pieces: readonly Tensor[],
  name: string,
): void {
  const [first] = all;
  const [rank = 0] = first?.ranks ?? [];
  if (first === undefined || !all.every(({ ranks }) => ranks[0] === rank)) {
    throw new NotDifferentiable(`${first?.origin.layer}: some rows of ${first?.x.name}`);
  }
  const { x } = first;
  const site = walk.siteOf(first);
  const dx = gradientTensor(x, `${name}/together`, [rank]);
  for (const [i, piece] of pieces.entries()) {
    const { xRow = 0, rows = 0, columns = 0 } = all[i] ?? {};
    const own = { ...site, ranks: [rank], x: piece, y: dx, xRow: 0, yRow: xRow, rows, columns };
    walk.emit({ op: "copy", ...own });
  }
  walk.book.add(x, [rank], { tensor: dx });
  const others = x.parts.ranks.filter((each) => each !== rank);
  if (others.length === 0) return;
  walk.book.add(x, others, { tensor: brought(walk, site, dx, rank, others) });
}

/** Of all rows: the same on the same rank. */
export function copyGradients(walk: Walk, op: CopyOp): void {
  const { x, y, xRow, yRow, rows, ranks } = op;
  const [rank = 0] = ranks;
  const isWhole = [x, y].every((each) => partOn(each, rank)?.shape[0] === rows);
  if (!isWhole) return rowsGradients(walk, op);
  if (xRow !== 0 || yRow !== 0) throw new Error(`${op.origin.layer}: rows beyond ${x.name}`);
  const dy = settle(walk, op, y, y.parts.ranks);
  if (dy === undefined) return;
  walk.book.add(y, y.parts.ranks, { tensor: dy });
  if (walk.sent.has(`${y.name}/gradient/back ${rank}`)) return;
  walk.sent.add(`${y.name}/gradient/back ${rank}`);
  walk.book.add(x, ranks, { tensor: dy });
}
