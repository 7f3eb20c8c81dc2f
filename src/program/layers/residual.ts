// A residual: what an earlier layer read, added to what the last one gave.

import type { ResidualLayer } from "../../plan/layers/residual.ts";
import { redistribute } from "../redistribute.ts";
import { type Shard, type ShardedTensor, whole } from "../tensor.ts";
import { activationLike, type LayerContext } from "./context.ts";
import { wantedBy } from "./split_tokens.ts";

/** @param earlier inputs of the stage's layers, of which the residual adds one */
export function residualOps(
  context: LayerContext,
  layer: ResidualLayer,
  input: ShardedTensor,
  earlier: readonly ShardedTensor[],
): ShardedTensor {
  const { origin, add } = context;
  const read = earlier[layer.from];
  if (read === undefined) throw new Error(`${origin.layer}: no layer ${layer.from}`);
  const isOfSummands = input.shards.some(({ placement }) => placement.kind === "partial");
  const skipped = isOfSummands
    ? read
    : redistribute(read, { add, name: `${origin.layer}/skip`, ...wantedBy(layer) });
  const shards = input.shards.map((shard, i): Shard => {
    const other = skipped.shards[i];
    if (other === undefined) throw new Error(`${origin.layer}: nothing to add`);
    const y = activationLike(context, "out", shard, layer.hidden);
    add({
      op: "add",
      origin,
      ranks: shard.ranks,
      ...(layer.scale === undefined ? {} : { scale: layer.scale }),
      a: whole(shard.tensor),
      b: whole(other.tensor),
      y: whole(y),
    });
    return { ...shard, tensor: y };
  });
  return { ...input, origin, shards };
}
