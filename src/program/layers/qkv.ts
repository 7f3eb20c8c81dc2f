// The projection to queries, keys and values: columns of the rank's query heads, then of its key heads, then of its
// value heads.

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import type { RegionContent } from "../content.ts";
import { partsOn, type Tensor } from "../tensor.ts";
import { biasScale, weightScale, type LayerContext } from "./context.ts";

/** Fewer key and value heads than ranks: neighbors hold the same one. */
export function ownKvHeads({ kvHeads }: Pick<AttentionLayer, "kvHeads">, ranks: number): number {
  return Math.max(1, kvHeads / ranks);
}

/** The first of a member's key and value heads. */
export function firstKvHead(
  { kvHeads }: Pick<AttentionLayer, "kvHeads">,
  member: number,
  ranks: number,
): number {
  return Math.floor((member * kvHeads) / ranks);
}

/** [hidden, columns] */
export function qkvWeight(
  context: LayerContext,
  layer: AttentionLayer,
  ranks: readonly number[],
): Tensor {
  return besideHeads(context, layer, ranks, "weight", [layer.hidden], weightScale(layer.hidden));
}

/** [columns] */
export function qkvBias(
  context: LayerContext,
  layer: AttentionLayer,
  ranks: readonly number[],
): Tensor {
  return besideHeads(context, layer, ranks, "bias", [], biasScale);
}

function besideHeads(
  { origin }: LayerContext,
  layer: AttentionLayer,
  ranks: readonly number[],
  what: string,
  rows: readonly number[],
  scale: number,
): Tensor {
  const { headDim } = layer;
  const heads = layer.heads / ranks.length;
  const kvHeads = ownKvHeads(layer, ranks.length);
  const region = (part: string, first: number, own: number, all: number): RegionContent => ({
    kind: "uniform",
    tensor: `${origin.layer}/${part}/${what}`,
    center: 0,
    scale,
    shape: [...rows, all * headDim],
    offset: [...rows.map(() => 0), first * headDim],
    size: [...rows, own * headDim],
  });
  return {
    name: `${origin.layer}/qkv/${what}`,
    layer: origin.layer,
    role: "weight",
    parts: partsOn(ranks, (member) => {
      const firstKv = firstKvHead(layer, member, ranks.length);
      return {
        shape: [...rows, (heads + 2 * kvHeads) * headDim],
        content: {
          kind: "beside",
          parts: [
            region("q", member * heads, heads, layer.heads),
            region("k", firstKv, kvHeads, layer.kvHeads),
            region("v", firstKv, kvHeads, layer.kvHeads),
          ],
        },
      };
    }),
  };
}
