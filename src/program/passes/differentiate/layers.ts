// Gradients of norms, sums, means and embeddings.

import type { EmbeddingOp } from "../../embedding_op.ts";
import type { AddOp, AggregateOp, NormOp } from "../../row_op.ts";
import type { CrossEntropyOp, SquaredErrorOp } from "../../gradient_op.ts";
import { type Tensor, whole } from "../../tensor.ts";
import { gradientTensor } from "./book.ts";
import { allOf, settle, takeOnly, useWeight, type Walk } from "./walk.ts";

export function normGradients(walk: Walk, op: NormOp): void {
  const { ranks, gain, bias, norm, epsilon, sumOf } = op;
  const x = allOf(op.x, op);
  const dy = settle(walk, op, allOf(op.y, op));
  const dsum = sumOf === undefined ? takeOnly(walk, x, ranks, false) : settle(walk, op, x);
  const dx = dy === undefined ? dsum : gradientTensor(x, `${x.name}/gradient/${gain.name}`, ranks);
  if (dx === undefined) return;
  if (dy !== undefined) {
    const site = walk.siteOf(op);
    const statistics = perRow(x, `${gain.name}/statistics`, ranks);
    const own = { x: whole(x), dy: whole(dy), statistics } as const;
    walk.emit({
      op: "norm-gradient",
      ...site,
      ranks,
      norm,
      epsilon,
      ...own,
      gain,
      ...(dsum === undefined ? {} : { residual: whole(dsum) }),
      dx: whole(dx),
    });
    walk.emit({
      op: "gain-gradient",
      ...site,
      ranks,
      ...own,
      gain: useWeight(walk, op, gain),
      ...(bias === undefined ? {} : { bias: useWeight(walk, op, bias) }),
    });
  }
  if (sumOf === undefined) walk.book.add(x, ranks, { tensor: dx });
  else summands(walk, op, sumOf[0].tensor, sumOf[1].tensor, dx);
}

/** f32 [rows, 4] */
function perRow(x: Tensor, name: string, ranks: readonly number[]): Tensor {
  const { parts, ...rest } = gradientTensor(x, name, ranks);
  const held = parts.held.map(({ shape: [rows = 0] }) => ({ shape: [rows, 4] }));
  return { ...rest, dtype: "f32", parts: { ...parts, held } };
}

/** Of scale · a + b. */
function summands(walk: Walk, op: NormOp | AddOp, a: Tensor, b: Tensor, dy: Tensor): void {
  const { ranks, scale = 1 } = op;
  walk.book.add(b, ranks, { tensor: dy });
  if (scale === 1) {
    walk.book.add(a, ranks, { tensor: dy });
    return;
  }
  const da = gradientTensor(a, `${a.name}/gradient/scaled`, ranks);
  // (scale − 1) · dy + dy
  walk.emit({
    op: "add",
    ...walk.siteOf(op),
    ranks,
    scale: scale - 1,
    a: whole(dy),
    b: whole(dy),
    y: whole(da),
  });
  walk.book.add(a, ranks, { tensor: da });
}

export function addGradients(walk: Walk, op: AddOp): void {
  const dy = settle(walk, op, allOf(op.y, op));
  if (dy !== undefined) summands(walk, op, allOf(op.a, op), allOf(op.b, op), dy);
}

export function embeddingGradients(walk: Walk, op: EmbeddingOp): void {
  const { ids, table, scale, positions, ranks } = op;
  const dy = settle(walk, op, op.y);
  if (dy === undefined) return;
  if (positions !== undefined) {
    const { table: added, first, sequence, slices } = positions;
    // A rank adds positions to some tokens, and has the gradient of all of them.
    const y = useWeight(walk, op, added, ranks, false);
    const places = { first, sequence, ...(slices === undefined ? {} : { slices }) };
    walk.emit({ op: "position-gradient", ...walk.siteOf(op), ranks, dy, ...places, y });
  }
  walk.emit({
    op: "embedding-gradient",
    ...walk.siteOf(op),
    ranks,
    ids,
    table,
    dy: whole(dy),
    ...(scale === undefined ? {} : { scale }),
    y: useWeight(walk, op, table),
  });
}

export function aggregateGradients(walk: Walk, op: AggregateOp): void {
  const { x, y, group, scale, ranks } = op;
  const dy = settle(walk, op, y);
  if (dy === undefined) return;
  const dx = gradientTensor(x, `${x.name}/gradient/spread`, ranks);
  walk.emit({ op: "spread-rows", ...walk.siteOf(op), ranks, dy, group, scale, dx });
  walk.book.add(x, ranks, { tensor: dx });
}

export function lossGradients(walk: Walk, op: CrossEntropyOp | SquaredErrorOp): void {
  const { ranks } = op;
  const x = op.op === "cross-entropy" ? op.logits : op.x;
  const dx = gradientTensor(x, `${x.name}/gradient`, ranks);
  const site = walk.siteOf(op);
  if (op.op === "cross-entropy") {
    const { losses: _, ...rest } = op;
    walk.emit({ ...rest, ...site, op: "cross-entropy-gradient", dx: whole(dx) });
  } else {
    const { losses: _, ...rest } = op;
    walk.emit({ ...rest, ...site, op: "squared-error-gradient", dx: whole(dx) });
  }
  walk.book.add(x, ranks, { tensor: dx });
}
