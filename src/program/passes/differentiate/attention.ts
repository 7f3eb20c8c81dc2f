// Gradients of attention, and of what happened to queries and keys before it: turns, norms, and how latent attention made them.

import type { MeanProductsOp } from "../../attention_gradient_op.ts";
import type { AttentionOp, RotaryOp } from "../../attention_op.ts";
import { partOn, type Tensor, whole } from "../../tensor.ts";
import { gradientTensor, type Site } from "./book.ts";
import { channel, elementsOn, settle, useWeight, type Walk } from "./walk.ts";

export function attentionGradients(walk: Walk, op: AttentionOp): void {
  const { op: _, y, sinks, origin: __, place: ___, ...rest } = op;
  const { ranks, qkv, values, heads, kvHeads } = op;
  const dy = settle(walk, op, y);
  if (dy === undefined) return;
  const site = walk.siteOf(op);
  const statistics = perHead(y, `${y.name}/statistics`, y.parts.ranks, heads);
  walk.emit({
    ...rest,
    ...(sinks && { sinks }),
    ...site,
    op: "attention-statistics",
    attended: y,
    dy,
    y: statistics,
  });
  if (sinks !== undefined) {
    const dsinks = useWeight(walk, op, sinks);
    walk.emit({ op: "sink-gradient", ...site, ranks, statistics, sinks, heads, y: dsinks });
  }
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
function perHead(x: Tensor, name: string, ranks: readonly number[], heads: number): Tensor {
  const { parts, ...rest } = gradientTensor(x, name, ranks);
  const held = parts.held.map(({ shape: [rows = 0] }) => ({ shape: [rows * heads * 2] }));
  return { ...rest, dtype: "f32", parts: { ...parts, held } };
}

function withColumns({ parts, ...rest }: Tensor, name: string, columns: number): Tensor {
  const held = parts.held.map(({ shape: [rows = 0] }) => ({ shape: [rows, columns] }));
  return { ...rest, name, parts: { ...parts, held } };
}

/** Of what queries and keys were made of, and of values, which attention read as they are. */
export function rotaryGradients(walk: Walk, op: RotaryOp): void {
  const { op: _, x, y, norm, latent, origin: __, place: ___, ...rest } = op;
  const { ranks, heads, kvHeads, headDim } = op;
  const dy = settle(walk, op, y);
  const dv = walk.valuesOf.get(keyOf(latent?.kv ?? x, ranks));
  if (dy === undefined || dv === undefined) return;
  const site = walk.siteOf(op);
  const [, values = 0] = partOn(dv, ranks[0] ?? 0)?.shape ?? [];
  const columns = (heads + kvHeads) * headDim + values;
  const isLast = norm === undefined && latent === undefined;
  const name = `${x.name}/gradient${isLast ? "" : "/heads"}`;
  const dheads = withColumns(gradientTensor(x, name, ranks), name, columns);
  walk.emit({ ...rest, ...site, op: "rotary-gradient", dy, dv, dx: dheads });
  if (latent !== undefined) latentGradients(walk, op, latent, dheads);
  else if (norm !== undefined) headNormGradients(walk, op, norm, dheads);
  else walk.book.add(x, ranks, { tensor: dheads });
}

/** @param dy of the normalized heads */
function headNormGradients(
  walk: Walk,
  op: RotaryOp,
  norm: NonNullable<RotaryOp["norm"]>,
  dy: Tensor,
): void {
  const { x, ranks, heads, kvHeads, headDim } = op;
  const site = walk.siteOf(op);
  const dx = gradientTensor(x, `${x.name}/gradient`, ranks);
  const statistics = perHead(x, `${x.name}/statistics`, ranks, heads + kvHeads);
  const own = { ...site, ranks, x, dy, norm, heads, kvHeads, headDim };
  const products =
    norm.kind === "all-heads" ? { products: meanProducts(walk, own, site) } : undefined;
  walk.emit({ op: "head-norm-gradient", ...own, ...products, dx, statistics });
  if (norm.gains !== undefined) {
    walk.emit({ op: "head-gain-gradient", ...own, statistics, y: useWeight(walk, op, norm.gains) });
  }
  walk.book.add(x, ranks, { tensor: dx });
}

/** Over the heads of all ranks. */
function meanProducts(walk: Walk, own: Omit<MeanProductsOp, "op" | "y">, site: Site): Tensor {
  const { x, ranks } = own;
  const name = `${x.name}/products`;
  const y = f32Tensor(x, `${name}/own`, ranks, 4);
  walk.emit({ op: "mean-products", ...own, y });
  if (ranks.length === 1) return y;
  const all = f32Tensor(x, `${name}/all`, ranks, 4);
  walk.emit({
    op: "collective",
    ...site,
    ranks,
    ...channel(`${name}/${ranks[0]}`),
    from: ranks,
    to: ranks,
    amount: { kind: "all-reduce", count: elementsOn(y, ranks[0] ?? 0) },
    x: whole(y),
    y: whole(all),
  });
  return all;
}

/** f32 [rows, columns] */
function f32Tensor(x: Tensor, name: string, ranks: readonly number[], columns: number): Tensor {
  return { ...withColumns(gradientTensor(x, name, ranks), name, columns), dtype: "f32" };
}

/** What keys share is summed over a rank's heads, and over ranks where it is complete. */
function latentGradients(
  walk: Walk,
  op: RotaryOp,
  { kv, down, plainDim, valueDim, rank }: NonNullable<RotaryOp["latent"]>,
  dheads: Tensor,
): void {
  const { x, ranks, heads, headDim } = op;
  const dq = gradientTensor(x, `${x.name}/gradient`, ranks);
  const dkv = gradientTensor(kv, `${kv.name}/gradient`, ranks);
  const ddown = gradientTensor(down, `${down.name}/gradient/shared`, ranks);
  walk.emit({
    op: "latent-gradient",
    ...walk.siteOf(op),
    ranks,
    heads,
    headDim,
    plainDim,
    valueDim,
    rank,
    dheads,
    dq,
    dkv,
    ddown,
  });
  walk.book.add(x, ranks, { tensor: dq });
  walk.book.add(kv, ranks, { tensor: dkv });
  const partial = ranks.length > 1 ? { partialOver: ranks } : undefined;
  walk.book.add(down, ranks, { tensor: ddown, ...partial });
}
