// Gradients of collectives, which are collectives: of an all-gather a reduce-scatter, of a sum over ranks the gradient of
// the sum on each of them, of a send one the other way.

import { paddedElements } from "../../../kernels/storage.ts";
import type { GatherColumnsOp, SliceColumnsOp } from "../../op.ts";
import { nameOn, partOn, sameRanks, type Tensor, whole } from "../../tensor.ts";
import type { CollectiveOp } from "../../transfer_op.ts";
import { gradientTensor } from "./book.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
import { addAll, allOf, brought, channel, elementsOn, joined, settle, type Walk } from "./walk.ts";

/** Gradients of what was woven from pieces, by rank and the pieces' name. */
export type Woven = Map<string, Tensor>;

export function collectiveGradients(walk: Walk, op: CollectiveOp, woven: Woven): void {
  // A part of the rule of attention where ranks share sequences.
  if (op.isOfRing === true) return;
  if (op.isStarted === true) throw new NotDifferentiable(`${op.name}: goes on beside others`);
  switch (op.amount.kind) {
    case "all-reduce":
      return everywhere(walk, op, op.from);
    case "broadcast":
      return everywhere(walk, op, op.from);
    case "send":
      return sentBack(walk, op);
    case "reduce-scatter":
      return gathered(walk, op, op.amount.counts);
    case "all-gather":
      return op.y.tensor.slot === undefined
        ? scattered(walk, op, op.amount.counts)
        : sliced(walk, op, woven);
    case "all-to-all":
      throw new NotDifferentiable(`${op.name}: an all-to-all`);
  }
}

/** The gradient of the result on all ranks that gave a summand of it, or gave it. */
function everywhere(walk: Walk, op: CollectiveOp, from: readonly number[]): void {
  const dy = settle(walk, op, allOf(op.y, op), op.to);
  if (dy === undefined) return;
  const x = allOf(op.x, op);
  walk.book.add(x, from, { tensor: onAll(walk, op, dy, from) });
}

function onAll(walk: Walk, op: CollectiveOp, dy: Tensor, wanted: readonly number[]): Tensor {
  const missing = wanted.filter((rank) => !op.to.includes(rank));
  if (missing.length === 0) return dy;
  const there = wanted.filter((rank) => op.to.includes(rank));
  const sent = brought(walk, walk.siteOf(op), dy, op.to[0] ?? 0, missing);
  return joined(`${dy.name}/all`, [
    ...(there.length === 0 ? [] : [{ ranks: there, tensor: dy }]),
    { ranks: missing, tensor: sent },
  ]);
}

/** What several ranks got from one comes back from the last of them: each has all of the gradient. */
function sentBack(walk: Walk, op: CollectiveOp): void {
  const y = allOf(op.y, op);
  const dy = settle(walk, op, y, y.parts.ranks);
  if (dy === undefined) return;
  walk.book.add(y, y.parts.ranks, { tensor: dy });
  const [source = 0] = op.from;
  const [target = 0] = op.to;
  const x = allOf(op.x, op);
  const name = `${y.name}/gradient/back`;
  if (walk.sent.has(`${name} ${source}`)) return;
  walk.sent.add(`${name} ${source}`);
  const dx = gradientTensor(x, name, x.parts.ranks);
  walk.emit({
    op: "collective",
    ...walk.siteOf(op),
    ranks: [target, source],
    ...channel(`${name} ${target}-${source}`),
    from: [target],
    to: [source],
    amount: { kind: "send", count: elementsOn(x, source) },
    x: whole(dy),
    y: whole(dx),
  });
  walk.book.add(x, [source], { tensor: dx });
}

function gathered(walk: Walk, op: CollectiveOp, counts: readonly number[]): void {
  const dy = settle(walk, op, allOf(op.y, op), op.to);
  if (dy === undefined) return;
  const x = allOf(op.x, op);
  const dx = gradientTensor(x, `${x.name}/gradient/gathered`, op.from);
  walk.emit({
    op: "collective",
    ...walk.siteOf(op),
    ranks: op.ranks,
    ...channel(`${op.name}/gradient`),
    from: op.to,
    to: op.from,
    amount: { kind: "all-gather", counts },
    x: whole(dy),
    y: whole(dx),
  });
  walk.book.add(x, op.from, { tensor: dx });
}

function scattered(walk: Walk, op: CollectiveOp, counts: readonly number[]): void {
  const { from, to } = op;
  const y = allOf(op.y, op);
  const x = allOf(op.x, op);
  const site = walk.siteOf(op);
  const held = walk.book.take(y, to);
  const [only] = held;
  const isPartial =
    held.length === 1 &&
    sameRanks(from, to) &&
    (only?.summands.length ?? 0) > 0 &&
    only?.summands.every(({ partialOver }) => partialOver !== undefined) === true;
  const dx = gradientTensor(x, `${op.name}/gradient/own`, from);
  if (isPartial && only !== undefined) {
    const total = addAll(walk, site, y, to, only.summands, "partial");
    if (total === undefined) return;
    walk.emit({
      op: "collective",
      ...site,
      ranks: op.ranks,
      ...channel(`${op.name}/gradient`),
      from: to,
      to: from,
      amount: { kind: "reduce-scatter", counts },
      x: whole(total),
      y: whole(dx),
    });
    walk.book.add(x, from, { tensor: dx });
    return;
  }
  for (const each of held) for (const one of each.summands) walk.book.add(y, each.ranks, one);
  const settled = settle(walk, op, y, to);
  if (settled === undefined) return;
  const dy = onAll(walk, op, settled, from);
  let start = 0;
  for (const rank of from) {
    const [rows = 0, columns = 0] = partOn(x, rank)?.shape ?? [];
    walk.emit({
      op: "copy",
      ...site,
      ranks: [rank],
      x: dy,
      y: dx,
      xRow: start,
      yRow: 0,
      rows,
      columns,
    });
    start += rows;
  }
  walk.book.add(x, from, { tensor: dx });
}

/** Column blocks of the gradient of what they were woven into. */
function sliced(walk: Walk, op: CollectiveOp, woven: Woven): void {
  const pieces = allOf(op.y, op);
  const dy = woven.get(`${op.to[0]} ${pieces.name}`);
  if (dy === undefined) return;
  for (const rank of op.to) woven.delete(`${rank} ${pieces.name}`);
  const x = allOf(op.x, op);
  const dx = gradientTensor(x, `${x.name}/gradient/own`, op.from);
  walk.emit({
    op: "slice-columns",
    ...walk.siteOf(op),
    ranks: op.from,
    x: onAll(walk, op, dy, op.from),
    y: dx,
  });
  walk.book.add(x, op.from, { tensor: dx });
}

export function gatherColumnsGradients(walk: Walk, op: GatherColumnsOp, woven: Woven): void {
  const dy = settle(walk, op, allOf(op.y, op));
  if (dy === undefined) return;
  for (const rank of op.ranks) woven.set(`${rank} ${op.x.name}`, dy);
}

/** The columns that each member has of the gradient, side by side on all. */
export function sliceColumnsGradients(walk: Walk, op: SliceColumnsOp): void {
  const { x, y, ranks } = op;
  const dy = settle(walk, op, y);
  if (dy === undefined) return;
  const site = walk.siteOf(op);
  const [rows = 0, columns = 0] = partOn(y, ranks[0] ?? 0)?.shape ?? [];
  const count = paddedElements(rows, columns);
  const pieces: Tensor = {
    name: "workspace",
    layer: site.origin.layer,
    role: "workspace",
    slot: 0,
    parts: { ranks, held: [{ shape: [1, count * ranks.length] }] },
  };
  walk.emit({
    op: "collective",
    ...site,
    ranks,
    ...channel(`${nameOn(y, ranks[0] ?? 0)}/gradient/${ranks[0]}`),
    from: ranks,
    to: ranks,
    amount: { kind: "all-gather", counts: ranks.map(() => count) },
    x: whole(dy),
    y: whole(pieces),
  });
  const dx = gradientTensor(x, `${x.name}/gradient/woven`, ranks);
  walk.emit({
    op: "gather-columns",
    ...site,
    ranks,
    x: pieces,
    y: whole(dx),
    pieces: ranks.length,
  });
  walk.book.add(x, ranks, { tensor: dx });
}
