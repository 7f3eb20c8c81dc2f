// What latent attention is made of: queries of the rank's heads, and what all heads' keys and values come from.

import type { AttentionLayer, LatentAttention } from "../../plan/layers/attention.ts";
import { type Shard, type Tensor, whole } from "../tensor.ts";
import { activation, type LayerContext, vector, weight, weightScale } from "./context.ts";

/** Of the norms at the ranks. */
export const latentEpsilon = 1e-6;

export interface Latents {
  /** [rows, own heads · (plain + rotary dimension)], not turned yet. */
  readonly q: Tensor;
  /** [rows, rank + rotary dimension]: the rotary part of the key comes beside the latent and is not normalized. */
  readonly down: Tensor;
  /** [rows, rank] */
  readonly normalized: Tensor;
  /** [rank, own heads · (plain + value dimension)]: of each head a key without positions, then a value. */
  readonly up: Tensor;
}

export function latentProjections(
  context: LayerContext,
  layer: AttentionLayer,
  { queryRank, keyValueRank, rotaryDim, valueDim }: LatentAttention,
  { ranks, rows, tensor }: Shard,
): Latents {
  const { origin, add } = context;
  const { hidden, heads, headDim: plainDim } = layer;
  const members = ranks.length;
  const weightOf = (part: string, k: number, all: number, isSplit: boolean): Tensor => {
    const n = isSplit ? all / members : all;
    return weight(context, `${part}/weight`, ranks, (member) => ({
      shape: [k, all],
      offset: [0, isSplit ? member * n : 0],
      size: [k, n],
      scale: weightScale(k),
    }));
  };
  const project = (part: string, x: Tensor, k: number, all: number, isSplit: boolean): Tensor => {
    const y = activation(context, `${part}/out`, ranks, [rows, isSplit ? all / members : all]);
    const w = weightOf(part, k, all, isSplit);
    add({ op: "matmul", origin, ranks, x: whole(x), w, activation: "none", y: whole(y) });
    return y;
  };
  /** Of the first columns. */
  const normalize = (part: string, x: Tensor, columns: number): Tensor => {
    const y = activation(context, `${part}/normalised`, ranks, [rows, columns]);
    add({
      op: "norm",
      origin,
      ranks,
      norm: "rms",
      epsilon: latentEpsilon,
      x: whole(x),
      gain: vector(context, `${part}/gain`, ranks, columns, 1),
      y: whole(y),
    });
    return y;
  };
  const ofQueries = (): Tensor => {
    const all = heads * (plainDim + rotaryDim);
    if (queryRank === undefined) return project("q", tensor, hidden, all, true);
    const down = project("q/down", tensor, hidden, queryRank, false);
    return project("q", normalize("q", down, queryRank), queryRank, all, true);
  };
  const q = ofQueries();
  const down = project("kv/down", tensor, hidden, keyValueRank + rotaryDim, false);
  return {
    q,
    down,
    normalized: normalize("kv", down, keyValueRank),
    up: weightOf("kv", keyValueRank, heads * (plainDim + valueDim), true),
  };
}
