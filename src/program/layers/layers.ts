// The ops of every kind of layer but the embedding, which reads no activation.

import type { Layer, LayerOf } from "../../plan/layers/layers.ts";
import type { ShardedTensor } from "../tensor.ts";
import { aggregateOps } from "./aggregate.ts";
import { attentionOps } from "./attention.ts";
import { branchOps } from "./branch.ts";
import type { LayerContext } from "./context.ts";
import { gatedDeltaOps } from "./gated_delta.ts";
import { linearOps } from "./linear.ts";
import { mlpOps } from "./mlp.ts";
import { moeOps } from "./moe.ts";
import { normOps } from "./norm.ts";
import { residualOps } from "./residual.ts";

type InnerLayer = Exclude<Layer, { op: "embedding" }>;

/**
 * @param input placed as the layer takes it
 * @param earlier inputs of the stage's layers up to this one
 */
type LayerOps<Kind extends InnerLayer> = (
  context: LayerContext,
  layer: Kind,
  input: ShardedTensor,
  earlier: readonly ShardedTensor[],
) => ShardedTensor;

const layerOps: {
  readonly [Name in InnerLayer["op"]]: LayerOps<LayerOf<Name>>;
} = {
  linear: linearOps,
  attention: attentionOps,
  "gated-delta": gatedDeltaOps,
  mlp: mlpOps,
  moe: moeOps,
  norm: normOps,
  aggregate: aggregateOps,
  residual: residualOps,
  branch: branchOps,
};

/** Adds the layer's ops to the context and gives its result. */
export function opsOf({ op }: InnerLayer): LayerOps<InnerLayer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the record's entry takes the layer whose `op` is its key
  return layerOps[op] as LayerOps<InnerLayer>;
}
