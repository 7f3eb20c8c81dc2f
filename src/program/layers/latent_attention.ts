// Attention through low-rank projections (DeepSeek V2, V3), in its expanded form: keys and values of every head are made
// from what is cached. Down-projections are on every member, heads are split.

import type { AttentionLayer, LatentAttention } from "../../plan/layers/attention.ts";
import { type Shard, type ShardedTensor, type Tensor, whole } from "../tensor.ts";
import { headTables, outputOps, scoreRules } from "./attention_parts.ts";
import { activation, perShard, vector, weight, weightScale, type LayerContext } from "./context.ts";
import { turnBy } from "./rotations.ts";

/** Of the norms at the ranks. */
export const latentEpsilon = 1e-6;

export function latentAttentionOps(
  context: LayerContext,
  layer: AttentionLayer,
  latent: LatentAttention,
  input: ShardedTensor,
): ShardedTensor {
  return perShard(context, input, layer.hidden, (shard) => {
    const tensor = attend(context, layer, latent, shard, input.sampleRows);
    const attended: Shard = { ...shard, placement: { kind: "columns" }, tensor };
    return outputOps(context, layer, attended, layer.heads * latent.valueDim);
  });
}

function attend(
  context: LayerContext,
  layer: AttentionLayer,
  { queryRank, keyValueRank, rotaryDim, valueDim }: LatentAttention,
  { ranks, rows, tensor }: Shard,
  sequence: number,
): Tensor {
  const { origin, add } = context;
  const { hidden, heads, headDim: plainDim, rotary, temperature } = layer;
  const members = ranks.length;
  const project = (part: string, x: Tensor, k: number, all: number, isSplit: boolean): Tensor => {
    const n = isSplit ? all / members : all;
    const w = weight(context, `${part}/weight`, ranks, (member) => ({
      shape: [k, all],
      offset: [0, isSplit ? member * n : 0],
      size: [k, n],
      scale: weightScale(k),
    }));
    const y = activation(context, `${part}/out`, ranks, [rows, n]);
    add({ op: "matmul", origin, ranks, x: whole(x), w, activation: "none", y: whole(y) });
    return y;
  };
  /** Of the first columns. */
  const normalize = (part: string, x: Tensor, columns: number): Tensor => {
    const gain = vector(context, `${part}/gain`, ranks, columns, 1);
    const y = activation(context, `${part}/normalised`, ranks, [rows, columns]);
    add({
      op: "norm",
      origin,
      ranks,
      norm: "rms",
      epsilon: latentEpsilon,
      x: whole(x),
      gain,
      y: whole(y),
    });
    return y;
  };
  const headDim = plainDim + rotaryDim;
  const ofQueries = (): Tensor => {
    if (queryRank === undefined) return project("q", tensor, hidden, heads * headDim, true);
    const down = project("q/down", tensor, hidden, queryRank, false);
    return project("q", normalize("q", down, queryRank), queryRank, heads * headDim, true);
  };
  const q = ofQueries();
  // The rotary part of the key comes beside the latent and is not normalized.
  const down = project("kv/down", tensor, hidden, keyValueRank + rotaryDim, false);
  const latents = normalize("kv", down, keyValueRank);
  const kv = project("kv", latents, keyValueRank, heads * (plainDim + valueDim), true);
  const own = heads / members;
  const common = { origin, ranks, sequence, heads: own, kvHeads: own, headDim };
  const turned = activation(context, "turned", ranks, [rows, 2 * own * headDim]);
  add({
    op: "rotary",
    ...common,
    x: q,
    latent: { kv, down, plainDim, valueDim, rank: keyValueRank },
    y: turned,
    ...(rotary === undefined ? {} : { turn: turnBy(context, rotary, plainDim, sequence, ranks) }),
    ...(temperature === undefined ? {} : { temperature }),
  });
  const y = activation(context, "attended", ranks, [rows, own * valueDim]);
  add({
    op: "attention",
    ...common,
    qkv: turned,
    values: { v: kv, dim: valueDim, first: plainDim, step: plainDim + valueDim },
    ...headTables(context, layer, ranks),
    y,
    rules: scoreRules(layer),
  });
  return y;
}
