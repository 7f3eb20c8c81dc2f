// Gradients of norms, sums, attention and embeddings.

import type { AttentionOp, RotaryOp } from "../../attention_op.ts";
import type { EmbeddingOp } from "../../embedding_op.ts";
import type { AddOp, NormOp } from "../../op.ts";
import type { CrossEntropyOp, SquaredErrorOp } from "../../gradient_op.ts";
import { type Tensor, whole } from "../../tensor.ts";
import { gradientTensor } from "./book.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
import { allOf, settle, takeOnly, useWeight, type Walk } from "./walk.ts";

export function normGradients(walk: Walk, op: NormOp): void {
  const { ranks, gain, bias, norm, epsilon, sumOf } = op;
  const x = allOf(op.x, op);
  if (widthOf(x) !== widthOf(gain)) {
    throw new NotDifferentiable(`${op.origin.layer}: a norm of some columns of ${x.name}`);
  }
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

function widthOf({ parts }: Tensor): number | undefined {
  return parts.held[0]?.shape.at(-1);
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

export function attentionGradients(walk: Walk, op: AttentionOp): void {
  const { op: _, y, sinks, origin, place: __, ...rest } = op;
  const { ranks, qkv, values, heads, kvHeads } = op;
  const dy = settle(walk, op, y);
  if (dy === undefined) return;
  if (sinks !== undefined) throw new NotDifferentiable(`${origin.layer}: attention sinks`);
  const site = walk.siteOf(op);
  const statistics = perQuery(y, heads, `${y.name}/statistics`);
  walk.emit({
    ...rest,
    ...site,
    op: "attention-statistics",
    attended: y,
    dy,
    y: statistics,
  });
  const dx = gradientTensor(qkv, `${qkv.name}/gradient`, ranks);
  const dv = values && withColumns(dx, `${values.v.name}/gradient/values`, kvHeads * values.dim);
  walk.emit({
    ...rest,
    ...site,
    op: "attention-gradient",
    dy,
    statistics,
    dx,
    ...(dv === undefined ? {} : { dv }),
  });
  walk.book.add(qkv, ranks, { tensor: dx });
  if (values !== undefined && dv !== undefined) walk.valuesOf.set(keyOf(values.v, ranks), dv);
}

/** Of a group's tensor. */
function keyOf({ name }: Tensor, ranks: readonly number[]): string {
  return `${ranks[0]} ${name}`;
}

/** f32 [rows · heads · 2] */
function perQuery(y: Tensor, heads: number, name: string): Tensor {
  const { parts, ...rest } = gradientTensor(y, name);
  const held = parts.held.map(({ shape: [rows = 0] }) => ({ shape: [rows * heads * 2] }));
  return { ...rest, dtype: "f32", parts: { ...parts, held } };
}

function withColumns({ parts, ...rest }: Tensor, name: string, columns: number): Tensor {
  const held = parts.held.map(({ shape: [rows = 0] }) => ({ shape: [rows, columns] }));
  return { ...rest, name, parts: { ...parts, held } };
}

/** Of the packed rows, whose values attention read as they are. */
export function rotaryGradients(walk: Walk, op: RotaryOp): void {
  const { op: _, x, y, norm, latent, origin: __, place: ___, ...rest } = op;
  if (latent !== undefined || norm !== undefined) {
    throw new NotDifferentiable(
      `${op.origin.layer}: queries and keys that are normalized or latent`,
    );
  }
  const dy = settle(walk, op, y);
  const dv = walk.valuesOf.get(keyOf(x, op.ranks));
  if (dy === undefined || dv === undefined) return;
  const dx = gradientTensor(x, `${x.name}/gradient`, op.ranks);
  walk.emit({ ...rest, ...walk.siteOf(op), op: "rotary-gradient", dy, dv, dx });
  walk.book.add(x, op.ranks, { tensor: dx });
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
