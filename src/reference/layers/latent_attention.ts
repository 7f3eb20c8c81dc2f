// Queries, keys and values of latent attention, every head's made from what the ranks keep.

import type { AttentionLayer, LatentAttention } from "../../plan/layers/attention.ts";
import { latentEpsilon } from "../../program/layers/latent_attention.ts";
import type { RoundingSteps, Signal } from "../signal.ts";
import { matrix, multiply, rowOf, type Matrix } from "../tensor.ts";
import { type ReferenceContext, referenceVector, referenceWeight } from "./context.ts";
import { type Heads, type HeadSignals, turnedSignal, turnHeads } from "./heads.ts";
import { normalise } from "./norm.ts";

export function latentHeads(
  context: ReferenceContext,
  layer: AttentionLayer,
  { queryRank, keyValueRank, rotaryDim, valueDim }: LatentAttention,
  x: Matrix,
): Heads {
  const { hidden, heads, headDim: plainDim } = layer;
  const headDim = plainDim + rotaryDim;
  const project = (part: string, from: Matrix, columns: number): Matrix =>
    multiply(from, referenceWeight(context, `${part}/weight`, from.columns, columns));
  const normed = (part: string, from: Matrix): Matrix =>
    normalise(
      from,
      { norm: "rms", epsilon: latentEpsilon },
      referenceVector(context, `${part}/gain`, from.columns, 1),
    );
  const q =
    queryRank === undefined
      ? project("q", x, heads * headDim)
      : project("q", normed("q", project("q/down", x, queryRank)), heads * headDim);
  const down = multiply(
    x,
    referenceWeight(context, "kv/down/weight", hidden, keyValueRank + rotaryDim),
  );
  const latents = normed("kv", columnsOf(down, 0, keyValueRank));
  const kv = project("kv", latents, heads * (plainDim + valueDim));
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
  return { q, k, v };
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
  const normed = ({ value, error }: Signal): Signal =>
    stored({ value: value / (value + latentEpsilon), error: error / (value + latentEpsilon) });
  const down = product(x, layer.hidden);
  const v = product(normed(down), keyValueRank);
  const q = queryRank === undefined ? down : product(normed(down), queryRank);
  return { q: stored(turnedSignal(q.error > v.error ? q : v, layer, sequence)), v };
}
