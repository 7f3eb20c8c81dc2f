// The uneven all-to-all of a mixture of experts: tokens to the ranks that hold their experts, and results back.

import { expertShares, placedExperts } from "../../plan/mesh.ts";
import type { MoeLayer } from "../../plan/layers/moe.ts";
import { joinTensors, shapesOn, type Tensor } from "../tensor.ts";
import { activationTensor, blockName, type LayerContext } from "./context.ts";
import { tokensOf, type ExpertColumn } from "./expert_columns.ts";
import { keptTable, type RoutedSource } from "./expert_router.ts";
import { capacityOf, type ExpertRows, type Holding } from "./experts.ts";

export interface Dispatched {
  /** What each holder received, by its place among the holders. */
  readonly received: readonly ExpertRows[];
  /** Sends the results back; gives each source's, by its place among the sources. */
  readonly combine: () => readonly { readonly returned: Tensor; readonly kept: Tensor }[];
}

/** Sends the sources' sorted rows to the holders. */
export function dispatchOps(
  context: LayerContext,
  layer: MoeLayer,
  column: ExpertColumn,
  sources: readonly RoutedSource[],
  holdings: readonly Holding[],
): Dispatched {
  const { origin, add, block } = context;
  const { holders, key } = column;
  const { hidden, topK } = layer;
  const tokens = tokensOf(column);
  const sourceRanks = sources.map(({ rank }) => rank);
  const ofHolders = (part: string, shapeOf: (holding: Holding) => number[]): Tensor =>
    activationTensor(
      context,
      part,
      shapesOn(holders, (at) => {
        const holding = holdings[at];
        return holding === undefined ? [] : shapeOf(holding);
      }),
    );
  const input = ofHolders("experts/in", ({ rows }) => [rows, hidden]);
  const output = ofHolders("experts/out", ({ rows }) => [rows, hidden]);
  const offsets: Tensor = {
    ...ofHolders("experts/offsets", ({ experts }) => [experts + 1]),
    dtype: "u32",
  };
  const ofSources = (tensorOf: (source: RoutedSource) => Tensor): Tensor =>
    joinTensors(sources.map(tensorOf));
  const kept = ofSources(({ rank }) => keptTable(context, layer, rank));
  const capacity = capacityOf(layer, tokens);
  const nameOf = (way: string): string => blockName(`${origin.layer}/${way}`, block);
  const channelOf = (way: string): string => blockName(`${origin.layer}/${way}${key}`, block);
  const common = {
    origin,
    ranks: [...new Set([...sourceRanks, ...holders])],
    dispatchName: channelOf("dispatch"),
    rows: tokens * topK,
    columns: hidden,
    expertsPerRank: expertShares(placedExperts(layer), holders.length),
    ...(capacity === undefined ? {} : { capacity }),
    counts: ofSources(({ routing }) => routing.counts),
    kept,
    offsets,
    slot: block ?? 0,
  };
  add({
    op: "expert-dispatch",
    ...common,
    name: nameOf("dispatch"),
    channelName: channelOf("dispatch"),
    from: sourceRanks,
    to: holders,
    x: ofSources(({ sorted }) => sorted),
    y: input,
  });
  return {
    received: holdings.map(({ rows }) => ({ input, offsets, output, rows })),
    combine() {
      const returned = activationTensor(
        context,
        "returned",
        shapesOn(sourceRanks, (at) => [(sources[at]?.rows ?? 0) * topK, hidden]),
      );
      add({
        op: "expert-combine",
        ...common,
        name: nameOf("combine"),
        channelName: channelOf("combine"),
        from: holders,
        to: sourceRanks,
        x: output,
        y: returned,
      });
      return sources.map(() => ({ returned, kept }));
    },
  };
}
