// A dense feed-forward layer: up (and gate) column-parallel, down row-parallel (partial sums).

import type { MlpLayer } from "../../plan/layers/mlp.ts";
import type { Shard, ShardedTensor } from "../tensor.ts";
import { perShard, type LayerContext } from "./context.ts";
import { linearShard } from "./linear.ts";

export function mlpOps(
  context: LayerContext,
  layer: MlpLayer,
  input: ShardedTensor,
): ShardedTensor {
  return perShard(context, input, layer.hidden, (shard) =>
    feedForwardShard(context, shard, layer, ""),
  );
}

/**
 * One tensor group's feed-forward network: partial sums.
 *
 * @param part distinguishes it from others of the same layer: "" or with a slash at its end
 */
export function feedForwardShard(
  context: LayerContext,
  shard: Shard,
  { hidden, ffn, activation }: Pick<MlpLayer, "hidden" | "ffn" | "activation">,
  part: string,
): Shard {
  const wide = { in: hidden, out: ffn, split: "column" } as const;
  const isGated = activation === "silu";
  const up = linearShard(context, shard, {
    ...wide,
    part: `${part}up/`,
    activation: isGated ? "none" : "gelu",
  });
  const inner = isGated
    ? linearShard(context, shard, {
        ...wide,
        part: `${part}gate/`,
        activation: "silu",
        gate: up.tensor,
      })
    : up;
  return linearShard(context, inner, {
    part: `${part}down/`,
    in: ffn,
    out: hidden,
    split: "row",
    activation: "none",
  });
}
