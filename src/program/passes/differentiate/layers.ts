// Gradients of norms, sums, attention and embeddings.

import type { AttentionOp, RotaryOp } from "../../attention_op.ts";
import type { AddOp, EmbeddingOp, NormOp } from "../../op.ts";
import type { CrossEntropyOp, SquaredErrorOp } from "../../gradient_op.ts";
import { type Tensor, whole } from "../../tensor.ts";
import { gradientTensor } from "./book.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
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

/** The gradient of queries and keys has beside it that of values, wherever those come from. */
export function attentionGradients(walk: Walk, op: AttentionOp): void {
  const { op: _, y, sinks, origin, place, ...rest } = op;
  const dy = settle(walk, op, y);
  if (dy === undefined) return;
  if (sinks !== undefined) throw new NotDifferentiable(`${origin.layer}: attention sinks`);
  const like = op.values?.v ?? op.qkv;
  const dx = gradientTensor(like, `${like.name}/gradient/attention`, op.ranks);
  walk.emit({
    ...rest,
    ...walk.siteOf({ ...op, place }),
    op: "attention-gradient",
    attended: y,
    dy,
    dx,
  });
  walk.book.add(op.qkv, op.ranks, { tensor: dx });
}

export function rotaryGradients(walk: Walk, op: RotaryOp): void {
  const { op: _, y, ranks, origin, ...rest } = op;
  if (op.latent !== undefined || op.norm !== undefined) {
    throw new NotDifferentiable(`${origin.layer}: queries and keys that are normalized or latent`);
  }
  const dy = settle(walk, op, y);
  if (dy === undefined) return;
  const dx = gradientTensor(op.x, `${op.x.name}/gradient`, ranks);
  walk.emit({ ...rest, ...walk.siteOf(op), op: "rotary-gradient", ranks, dy, dx });
  walk.book.add(op.x, ranks, { tensor: dx });
}

export function embeddingGradients(walk: Walk, op: EmbeddingOp): void {
  const { ids, table, scale, positions, ranks, origin } = op;
  if (positions !== undefined) throw new NotDifferentiable(`${origin.layer}: learned positions`);
  const dy = settle(walk, op, op.y);
  if (dy === undefined) return;
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
