// Linear attention by the gated delta rule: projections and convolution column-parallel over heads, the rule head by
// head, each head's result normalized and gated, output row-parallel (partial sums).

import { deltaColumns, type GatedDeltaLayer } from "../../plan/layers/gated_delta.ts";
import type { RegionContent } from "../content.ts";
import { partsOn, type Shard, type ShardedTensor, type Tensor, whole } from "../tensor.ts";
import {
  activation,
  type LayerContext,
  ownVector,
  perShard,
  vector,
  weightScale,
} from "./context.ts";
import { linearShard } from "./linear.ts";

/** Of the logarithms of decay, so that a token is remembered for about ten others. */
export const rateCenter = -2;

export function gatedDeltaOps(
  context: LayerContext,
  layer: GatedDeltaLayer,
  input: ShardedTensor,
): ShardedTensor {
  const { hidden, valueHeads, valueDim } = layer;
  return perShard(context, input, hidden, (shard) => {
    const normed = normalizedHeads(context, layer, shard, input.sampleRows);
    const gated = linearShard(context, shard, {
      part: "gate/",
      in: hidden,
      out: valueHeads * valueDim,
      split: "column",
      activation: "silu",
      gate: normed,
    });
    const attended: Shard = { ...shard, placement: { kind: "columns" }, tensor: gated.tensor };
    return linearShard(context, attended, {
      part: "output/",
      in: valueHeads * valueDim,
      out: hidden,
      split: "row",
      activation: "none",
    });
  });
}

/** [rows, own value heads · value dimension] */
function normalizedHeads(
  context: LayerContext,
  layer: GatedDeltaLayer,
  shard: Shard,
  sequence: number,
): Tensor {
  const { origin, add } = context;
  const { ranks, rows } = shard;
  const { keyDim, valueDim, epsilon } = layer;
  const members = ranks.length;
  const [keyHeads, valueHeads] = [layer.keyHeads / members, layer.valueHeads / members];
  const columns = deltaColumns(layer) / members;
  const qkv = activation(context, "qkv/out", ranks, [rows, columns]);
  add({
    op: "matmul",
    origin,
    ranks,
    x: whole(shard.tensor),
    w: besideHeads(context, layer, ranks, "", layer.hidden),
    activation: "none",
    y: whole(qkv),
  });
  const x = activation(context, "conv/out", ranks, [rows, columns]);
  const w = besideHeads(context, layer, ranks, "conv/", layer.kernel);
  add({ op: "causal-conv", origin, ranks, x: qkv, w, y: x, sequence });
  const perHead = {
    in: layer.hidden,
    out: layer.valueHeads,
    split: "column",
    activation: "none",
  } as const;
  const update = linearShard(context, shard, { ...perHead, part: "update/" });
  const step = linearShard(context, shard, { ...perHead, part: "step/", isBiased: true });
  const y = activation(context, "attended", ranks, [rows, valueHeads * valueDim]);
  const heads = { keyHeads, valueHeads, keyDim, valueDim };
  const rates = ownVector(context, "rates", ranks, layer.valueHeads, rateCenter);
  add({
    op: "gated-delta",
    origin,
    ranks,
    x,
    update: update.tensor,
    step: step.tensor,
    rates: { ...rates, dtype: "f32" },
    y,
    sequence,
    ...heads,
  });
  const normed = activation(context, "normalized", ranks, [rows, valueHeads * valueDim]);
  add({
    op: "rotary",
    origin,
    ranks,
    x: y,
    y: normed,
    sequence,
    heads: valueHeads,
    kvHeads: 0,
    headDim: valueDim,
    norm: { kind: "head", epsilon, gains: vector(context, "norm/gain", ranks, valueDim, 1) },
  });
  return normed;
}

/** Of the ranks' heads their columns [rows, columns] for queries, then for keys, then for values. */
function besideHeads(
  { origin }: LayerContext,
  { keyHeads, valueHeads, keyDim, valueDim }: GatedDeltaLayer,
  ranks: readonly number[],
  part: string,
  rows: number,
): Tensor {
  const region = (of: string, all: number, member: number): RegionContent => ({
    kind: "uniform",
    tensor: `${origin.layer}/${part}${of}/weight`,
    center: 0,
    scale: weightScale(rows),
    shape: [rows, all],
    offset: [0, (member * all) / ranks.length],
    size: [rows, all / ranks.length],
  });
  const columns = (2 * keyHeads * keyDim + valueHeads * valueDim) / ranks.length;
  return {
    name: `${origin.layer}/${part}qkv/weight`,
    layer: origin.layer,
    role: "weight",
    parts: partsOn(ranks, (member) => ({
      shape: [rows, columns],
      content: {
        kind: "beside",
        parts: [
          region("q", keyHeads * keyDim, member),
          region("k", keyHeads * keyDim, member),
          region("v", valueHeads * valueDim, member),
        ],
      },
    })),
  };
}
