// What normalizes queries and keys: their gains, and where a norm is over the heads of several ranks, its squares.

import type { AttentionLayer, QkNorm } from "../../plan/layers/attention.ts";
import type { RegionContent } from "../content.ts";
import { partsOn, type Tensor, whole } from "../tensor.ts";
import { activation, type LayerContext, vectorRegion } from "./context.ts";
import { firstKvHead, ownKvHeads } from "./qkv.ts";

/** Those of queries, then of keys; undefined of a norm without weights. */
export function headGains(
  { origin }: LayerContext,
  layer: AttentionLayer,
  { kind }: QkNorm,
  ranks: readonly number[],
): Tensor | undefined {
  if (kind === "unweighted") return undefined;
  const { headDim } = layer;
  const isOwn = kind !== "head";
  const gain = (part: string, first: number, own: number, all: number): RegionContent =>
    vectorRegion(
      `${origin.layer}/${part}/norm/gain`,
      (isOwn ? all : 1) * headDim,
      (isOwn ? first : 0) * headDim,
      (isOwn ? own : 1) * headDim,
      1,
    );
  const heads = layer.heads / ranks.length;
  const kvHeads = ownKvHeads(layer, ranks.length);
  return {
    name: `${origin.layer}/qk/norm/gain`,
    layer: origin.layer,
    role: "weight",
    parts: partsOn(ranks, (member) => ({
      shape: [(isOwn ? heads + kvHeads : 2) * headDim],
      content: {
        kind: "beside",
        parts: [
          gain("q", member * heads, heads, layer.heads),
          gain("k", firstKvHead(layer, member, ranks.length), kvHeads, layer.kvHeads),
        ],
      },
    })),
  };
}

/** f32 [rows, 4]: mean squares of the queries and of the keys of all ranks. */
export function meanSquaresOf(
  context: LayerContext,
  ranks: readonly number[],
  x: Tensor,
  queryColumns: number,
  keyColumns: number,
): Tensor {
  const { origin, add } = context;
  const rows = x.parts.held[0]?.shape[0] ?? 0;
  const own = activation(context, "squares/own", ranks, [rows, 4], "f32");
  add({ op: "mean-squares", origin, ranks, x, y: own, queryColumns, keyColumns });
  if (ranks.length === 1) return own;
  const all = activation(context, "squares/all", ranks, [rows, 4], "f32");
  const name = `${origin.layer}/squares/${ranks[0]}`;
  add({
    op: "collective",
    origin,
    ranks,
    name,
    channelName: name,
    from: ranks,
    to: ranks,
    amount: { kind: "all-reduce", count: 4 * rows },
    slot: 0,
    x: whole(own),
    y: whole(all),
  });
  return all;
}
