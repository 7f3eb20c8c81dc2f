// Queries, keys and values of latent attention, every head's made from what the ranks keep.

import type { AttentionLayer, LatentAttention } from "../../plan/layers/attention.ts";
import { latentEpsilon } from "../../program/layers/latent_projections.ts";
import type { RoundingSteps, Signal } from "../signal.ts";
import { addTo, matrix, multiply, rowOf, type Matrix } from "../tensor.ts";
import {
  type GradientContext,
  type ReferenceContext,
  referenceVector,
  referenceWeight,
} from "./context.ts";
import { type Heads, type HeadSignals, temperQueries, turnedSignal, turnHeads } from "./heads.ts";
import { normalise } from "./norm.ts";
import { projectionGradient, rowNormGradient } from "./weight_gradients.ts";

export function latentHeads(
  context: ReferenceContext,
  layer: AttentionLayer,
  latent: LatentAttention,
  x: Matrix,
): Heads {
  const { heads, headDim: plainDim } = layer;
  const { queryRank, keyValueRank, rotaryDim, valueDim } = latent;
  const headDim = plainDim + rotaryDim;
  const q = multiply(
    queryRank === undefined
      ? x
      : normed(context, "q", multiply(x, queryDown(context, x, queryRank))),
    queryUp(context, layer, latent),
  );
  const down = multiply(x, keyValueDown(context, x, latent));
  const latents = normed(context, "kv", columnsOf(down, 0, keyValueRank));
  const kv = multiply(latents, keyValueUp(context, layer, latent));
  const k = matrix(x.rows, heads * headDim);
  const v = matrix(x.rows, heads * valueDim);
  for (let row = 0; row < x.rows; row++) {
    const shared = rowOf(down, row).subarray(keyValueRank);
    for (let head = 0; head < heads; head++) {
      const own = rowOf(kv, row).subarray(head * (plainDim + valueDim));
      rowOf(k, row).set(own.subarray(0, plainDim), head * headDim);
      rowOf(k, row).set(shared, head * headDim + plainDim);
      rowOf(v, row).set(own.subarray(plainDim, plainDim + valueDim), head * valueDim);
    }
  }
  for (const m of [q, k]) turnHeads(m, heads, headDim, plainDim, layer, context.rowsPerSample);
  temperQueries(q, layer, context.rowsPerSample);
  return { q, k, v };
}

/** @returns the gradient of x */
export function latentHeadsGradient(
  context: GradientContext,
  layer: AttentionLayer,
  latent: LatentAttention,
  x: Matrix,
  { q, k, v }: Heads,
): Matrix {
  const { heads, headDim: plainDim } = layer;
  const { keyValueRank, rotaryDim, valueDim } = latent;
  const headDim = plainDim + rotaryDim;
  temperQueries(q, layer, context.rowsPerSample);
  for (const m of [q, k]) turnHeads(m, heads, headDim, plainDim, layer, context.rowsPerSample, -1);
  const dKv = matrix(x.rows, heads * (plainDim + valueDim));
  const dDown = matrix(x.rows, keyValueRank + rotaryDim);
  for (let row = 0; row < x.rows; row++) {
    const shared = rowOf(dDown, row).subarray(keyValueRank);
    for (let head = 0; head < heads; head++) {
      const key = rowOf(k, row).subarray(head * headDim, (head + 1) * headDim);
      const own = rowOf(dKv, row).subarray(head * (plainDim + valueDim));
      own.set(key.subarray(0, plainDim));
      own.set(rowOf(v, row).subarray(head * valueDim, (head + 1) * valueDim), plainDim);
      addTo(shared, key.subarray(plainDim));
    }
  }
  const downWeight = keyValueDown(context, x, latent);
  const latents = columnsOf(multiply(x, downWeight), 0, keyValueRank);
  const up = keyValueUp(context, layer, latent);
  const dNormed = projectionGradient(context, "kv/", normed(context, "kv", latents), up, dKv);
  const dLatents = normedGradient(context, "kv", latents, dNormed);
  for (let row = 0; row < x.rows; row++) rowOf(dDown, row).set(rowOf(dLatents, row));
  const dx = projectionGradient(context, "kv/down/", x, downWeight, dDown);
  addTo(dx.data, queryGradient(context, layer, latent, x, q).data);
  return dx;
}

/** @param dq of the queries before they were turned */
function queryGradient(
  context: GradientContext,
  layer: AttentionLayer,
  latent: LatentAttention,
  x: Matrix,
  dq: Matrix,
): Matrix {
  const up = queryUp(context, layer, latent);
  if (latent.queryRank === undefined) return projectionGradient(context, "q/", x, up, dq);
  const downWeight = queryDown(context, x, latent.queryRank);
  const down = multiply(x, downWeight);
  const dNormed = projectionGradient(context, "q/", normed(context, "q", down), up, dq);
  const dDown = normedGradient(context, "q", down, dNormed);
  return projectionGradient(context, "q/down/", x, downWeight, dDown);
}

function queryDown(context: ReferenceContext, x: Matrix, rank: number): Matrix {
  return referenceWeight(context, "q/down/weight", x.columns, rank);
}

function queryUp(
  context: ReferenceContext,
  { hidden, heads, headDim }: AttentionLayer,
  { queryRank, rotaryDim }: LatentAttention,
): Matrix {
  return referenceWeight(context, "q/weight", queryRank ?? hidden, heads * (headDim + rotaryDim));
}

function keyValueDown(
  context: ReferenceContext,
  x: Matrix,
  { keyValueRank, rotaryDim }: LatentAttention,
): Matrix {
  return referenceWeight(context, "kv/down/weight", x.columns, keyValueRank + rotaryDim);
}

function keyValueUp(
  context: ReferenceContext,
  { heads, headDim }: AttentionLayer,
  { keyValueRank, valueDim }: LatentAttention,
): Matrix {
  return referenceWeight(context, "kv/weight", keyValueRank, heads * (headDim + valueDim));
}

function gainOf(context: ReferenceContext, part: "q" | "kv", { columns }: Matrix): Float64Array {
  return referenceVector(context, `${part}/gain`, columns, 1);
}

function normed(context: ReferenceContext, part: "q" | "kv", x: Matrix): Matrix {
  return normalise(x, { norm: "rms", epsilon: latentEpsilon }, gainOf(context, part, x));
}

function normedGradient(context: GradientContext, part: "q" | "kv", x: Matrix, dy: Matrix): Matrix {
  const norm = { centered: false, epsilon: latentEpsilon };
  return rowNormGradient(context, `${part}/`, x, gainOf(context, part, x), dy, norm);
}

function columnsOf(m: Matrix, first: number, count: number): Matrix {
  const out = matrix(m.rows, count);
  for (let row = 0; row < m.rows; row++) {
    rowOf(out, row).set(rowOf(m, row).subarray(first, first + count));
  }
  return out;
}

export function latentSignals(
  { product, stored, sequence }: RoundingSteps,
  layer: AttentionLayer,
  { queryRank, keyValueRank }: LatentAttention,
  x: Signal,
): HeadSignals {
  const divided = ({ value, error }: Signal): Signal =>
    stored({ value: value / (value + latentEpsilon), error: error / (value + latentEpsilon) });
  const down = product(x, layer.hidden);
  const v = product(divided(down), keyValueRank);
  const q = queryRank === undefined ? down : product(divided(down), queryRank);
  return { q: stored(turnedSignal(q.error > v.error ? q : v, layer, sequence)), v };
}
