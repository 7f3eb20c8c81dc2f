// A dense feed-forward layer: up (and gate) column-parallel, down row-parallel (partial sums).

import type { MlpLayer } from "../../plan/layers/mlp.ts";
import type { Shard, ShardedTensor, Tensor } from "../tensor.ts";
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

interface FeedForward extends Pick<MlpLayer, "hidden" | "ffn" | "activation" | "gated" | "bias"> {
  /** As of a linear part: of what the network gives. */
  readonly rowGate?: Tensor;
}

/**
 * One tensor group's feed-forward network: partial sums.
 *
 * @param part distinguishes it from others of the same layer: "" or with a slash at its end
 */
export function feedForwardShard(
  context: LayerContext,
  shard: Shard,
  { hidden, ffn, activation, gated, bias, rowGate }: FeedForward,
  part: string,
): Shard {
  const isBiased = bias === true;
  const wide = { in: hidden, out: ffn, split: "column", isBiased } as const;
  const up = linearShard(context, shard, {
    ...wide,
    part: `${part}up/`,
    activation: gated ? "none" : activation,
  });
  const inner = gated
    ? linearShard(context, shard, {
        ...wide,
        part: `${part}gate/`,
        activation,
        gate: up.tensor,
      })
    : up;
  return linearShard(context, inner, {
    part: `${part}down/`,
    in: ffn,
    out: hidden,
    split: "row",
    isBiased,
    ...(rowGate === undefined ? {} : { rowGate }),
    activation: "none",
  });
}
