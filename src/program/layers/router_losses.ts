// What training minimizes of a router besides the loss: an auxiliary loss that balances experts over all tokens of a
// micro-batch, whichever ranks route them, and the z-loss (Fedus et al. 2022; Zoph et al. 2022).

import type { MoeLayer } from "../../plan/layers/moe.ts";
import type { RouterLosses } from "../expert_op.ts";
import { joinTensors, sameOn, type Tensor, whole } from "../tensor.ts";
import { activationTensor, type LayerContext } from "./context.ts";
import type { ExpertColumn } from "./expert_columns.ts";
import type { RoutedSource } from "./expert_router.ts";

/** Of the ranks that route tokens, each of which routes its own. Undefined where nothing is trained, or there are none. */
export function routerLossesOf(
  context: LayerContext,
  layer: MoeLayer,
  columns: readonly ExpertColumn[],
): RouterLosses | undefined {
  const { optimizer, microBatches } = context.workload;
  const { experts, topK, auxLossCoeff = 0, zLossCoeff = 0 } = layer;
  if (optimizer === undefined || auxLossCoeff + zLossCoeff === 0) return undefined;
  const sources = columns.filter(isCounted).flatMap((column) => column.sources);
  const tokens = sources.reduce((sum, { rows }) => sum + rows, 0);
  const perToken = optimizer.lossScale / (tokens * microBatches);
  const logarithm = 2 * zLossCoeff * perToken;
  if (auxLossCoeff === 0) return { logarithm };
  const factor = (auxLossCoeff * experts * perToken) / (tokens * topK);
  const ranks = sources.map(({ rank }) => rank);
  return {
    balance: { factor, blocks: ranks.length },
    logarithm,
    counted: countedOn(context, layer, ranks),
  };
}

/** Of slices, which route the same tokens, the first. */
export function isCounted({ slice }: ExpertColumn): boolean {
  return slice.index === 0;
}

/** Of one rank its own table. */
function countedOn(context: LayerContext, { experts }: MoeLayer, ranks: readonly number[]): Tensor {
  const part = ranks.length === 1 ? "counts" : "counts/all";
  const shape = ranks.length === 1 ? [experts] : [ranks.length, experts];
  return activationTensor(context, part, sameOn(ranks, { shape }), "u32");
}

/** Brings every rank's choices to all that route tokens. */
export function gatherCounts(
  { origin, add }: LayerContext,
  { experts }: MoeLayer,
  sources: readonly RoutedSource[],
  { counted }: RouterLosses,
): void {
  if (counted === undefined || sources.length === 1) return;
  const ranks = sources.map(({ rank }) => rank);
  const name = `${origin.layer}/counts/${ranks[0]}`;
  add({
    op: "collective",
    origin,
    ranks,
    name,
    channelName: name,
    from: ranks,
    to: ranks,
    amount: { kind: "all-gather", counts: ranks.map(() => experts) },
    slot: 0,
    x: whole(joinTensors(sources.map(({ routing }) => routing.counts))),
    y: whole(counted),
  });
}
