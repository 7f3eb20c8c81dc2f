// Experts that every token passes: a dense network of the tensor group, added to what the others give.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import { allGatherRows, reduceScatterRows, type Move } from "../transfers.ts";
import { type Shard, type ShardedTensor, type Tensor, whole } from "../tensor.ts";
import { activationTensor, type LayerContext } from "./context.ts";
import { expertSlices } from "./expert_columns.ts";
import { linearShard } from "./linear.ts";
import { feedForwardShard } from "./mlp.ts";

/** @param routed what the other experts give, sliced: summands, as what the network gives */
export function addSharedExperts(
  context: LayerContext,
  layer: MoeLayer,
  ffn: number,
  input: ShardedTensor,
  routed: ShardedTensor,
): ShardedTensor {
  const { origin, add } = context;
  const { hidden, activation, gated, sharedGate, sharedBias: bias } = layer;
  const shards = input.shards.map((shard, i): Shard => {
    const own = routed.shards[i];
    if (own === undefined) throw new Error(`${origin.layer}: nothing to add`);
    const { ranks } = shard;
    const name = `${origin.layer}/shared/${i}`;
    const move: Move = { ...context, name, columns: hidden, to: ranks };
    const all =
      shard.placement.kind === "rows" && ranks.length > 1
        ? allGatherRows({ ...move, name: `${name}/whole` }, shard, false)
        : shard;
    const network = {
      hidden,
      ffn,
      activation,
      gated,
      ...(bias === undefined ? {} : { bias }),
      ...(sharedGate === true ? { rowGate: gateOf(context, layer, all) } : {}),
    };
    const partial = feedForwardShard(context, all, network, "shared/");
    const isSummed = expertSlices(layer) > 1 || ranks.length === 1;
    const shared = isSummed ? partial : reduceScatterRows(move, partial);
    const y = activationTensor(context, "out", own.tensor.parts);
    add({
      op: "add",
      origin,
      ranks: own.ranks,
      a: whole(shared.tensor),
      b: whole(own.tensor),
      y: whole(y),
    });
    return { ...own, tensor: y };
  });
  return { ...routed, shards };
}

/** A logit of each token, on every rank. */
function gateOf(context: LayerContext, { hidden }: MoeLayer, shard: Shard): Tensor {
  return linearShard(context, shard, {
    part: "shared/scale/",
    in: hidden,
    out: 1,
    split: "replicated",
    activation: "none",
  }).tensor;
}
