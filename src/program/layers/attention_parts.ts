// What plain and latent attention have in common: the way out, rules of scores, tables of heads.

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import type { AttentionOp, AttentionScoreRules } from "../attention_op.ts";
import type { Shard } from "../tensor.ts";
import { type LayerContext, ownVector } from "./context.ts";
import { linearShard } from "./linear.ts";

/** @param width columns of all heads' results */
export function outputOps(
  context: LayerContext,
  { hidden, biases }: AttentionLayer,
  shard: Shard,
  width: number,
): Shard {
  return linearShard(context, shard, {
    part: "output/",
    in: width,
    out: hidden,
    split: "row",
    activation: "none",
    isBiased: biases?.includes("output") === true,
  });
}

/** What the layer's heads give, with its gate: a projection of what the layer reads. */
export function gateOps(
  context: LayerContext,
  { hidden, heads, headDim, outputGate }: AttentionLayer,
  input: Shard,
  attended: Shard,
): Shard {
  if (outputGate === undefined) return attended;
  const gated = linearShard(context, input, {
    part: "gate/",
    in: hidden,
    out: heads * headDim,
    split: "column",
    activation: "sigmoid",
    gate: attended.tensor,
  });
  return { ...attended, tensor: gated.tensor };
}

/** What attention makes of scores, as the layer says it. */
export function scoreRules({
  causal,
  scale,
  softcap,
  window,
  chunk,
}: AttentionLayer): AttentionScoreRules {
  return {
    causal,
    ...(scale === undefined ? {} : { scale }),
    ...(softcap === undefined ? {} : { softcap }),
    ...(window === undefined ? {} : { window }),
    ...(chunk === undefined ? {} : { chunk }),
  };
}

/** Sinks and slopes of the ranks' heads. */
export function headTables(
  context: LayerContext,
  { heads, sinks, alibi }: AttentionLayer,
  ranks: readonly number[],
): Pick<AttentionOp, "sinks" | "alibiHeads"> {
  return {
    ...(sinks === undefined
      ? {}
      : { sinks: { ...ownVector(context, "sinks", ranks, heads, 0), dtype: "f32" } }),
    ...(alibi === undefined ? {} : { alibiHeads: heads }),
  };
}
