// What a rank with tokens does in a mixture of experts: it chooses experts, sorts tokens by expert, and weighs what
// comes back.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import type { RoutingRule } from "../../kernels/route_top_k.ts";
import type { RouterLosses, Routing } from "../expert_op.ts";
import { type Tensor, type View, whole } from "../tensor.ts";
import { activation, weight, weightScale, type LayerContext } from "./context.ts";
import type { TokenHolder } from "./expert_columns.ts";
import { biasOf } from "./linear.ts";

/** A source with what it remembers until it combines. */
export interface RoutedSource extends TokenHolder {
  readonly routing: Routing;
  /** Its rows, one per choice, sorted by expert. */
  readonly sorted: Tensor;
}

/** 4-byte words without padding, whatever the plan's dtype; the weights are f32. */
function table(context: LayerContext, part: string, rank: number, size: number): Tensor {
  return activation(context, part, [rank], [size], "u32");
}

/** [experts], how many rows of each expert were not dropped. */
export function keptTable(context: LayerContext, layer: MoeLayer, rank: number): Tensor {
  return table(context, "kept", rank, layer.experts);
}

/**
 * Router, top-k, and the source's rows sorted by expert.
 *
 * @param isShown whether the check sees the choices: of ranks that route the same rows, one shows them
 * @param losses of the router, which one of those ranks has
 */
export function routeOps(
  context: LayerContext,
  layer: MoeLayer,
  source: TokenHolder,
  isShown: boolean,
  losses: RouterLosses | undefined,
): RoutedSource {
  const { origin, add } = context;
  const { rank, rows } = source;
  const slices = source.slices === undefined ? {} : { slices: source.slices };
  const { hidden, experts, topK } = layer;
  const ranks = [rank];
  const x = ownRows(context, layer, source);
  const router = weight(context, "router/weight", ranks, () => ({
    shape: [hidden, experts],
    offset: [0, 0],
    size: [hidden, experts],
    scale: weightScale(hidden),
  }));
  const logits = activation(context, "router/logits", ranks, [rows, experts]);
  add({
    op: "matmul",
    origin,
    ranks,
    x: whole(x),
    w: router,
    ...(layer.routerBias === true
      ? { bias: biasOf(context, ranks, { part: "router/", out: experts, split: "replicated" }) }
      : {}),
    activation: "none",
    y: whole(logits),
    ...slices,
  });
  const choices = rows * topK;
  const routing: Routing = {
    ids: table(context, "ids", rank, choices),
    weights: table(context, "weights", rank, choices),
    positions: table(context, "positions", rank, choices),
    counts: table(context, "counts", rank, experts),
    offsets: table(context, "offsets", rank, experts + 1),
  };
  const common = { origin, ranks, ...routing, experts, topK, ...slices };
  const correction =
    layer.routingBias === true
      ? biasOf(context, ranks, { part: "router/correction/", out: experts, split: "replicated" })
      : undefined;
  add({
    op: "route",
    ...common,
    logits,
    rule: routingRuleOf(layer),
    ...(correction === undefined ? {} : { correction }),
    ...(losses === undefined ? {} : { losses }),
  });
  if (isShown) {
    const { rowOffset } = source;
    const shown = [{ kind: "routes", rowOffset, rows, topK } as const];
    add({ op: "observe", origin, ranks, x: whole(routing.ids), shown });
  }
  add({ op: "route-positions", ...common });
  const sorted = activation(context, "sorted", ranks, [choices, hidden]);
  add({ op: "permute", ...common, x, y: sorted, isWeighted: layer.weighsInput === true });
  return { ...source, routing, sorted };
}

function routingRuleOf({
  topK,
  renormalise,
  scoring,
  groupLimit,
  routedScale,
}: MoeLayer): RoutingRule {
  return {
    topK,
    renormalise,
    ...(scoring === undefined ? {} : { scoring }),
    ...(groupLimit === undefined ? {} : { groupLimit }),
    ...(routedScale === undefined ? {} : { routedScale }),
  };
}

/** The source's rows as a tensor of their own. */
function ownRows(context: LayerContext, { hidden }: MoeLayer, source: TokenHolder): Tensor {
  const { rank, rows, first, tensor, alone } = source;
  if (alone) return tensor;
  const { origin, add } = context;
  const y = activation(context, "tokens", [rank], [rows, hidden]);
  add({
    op: "copy",
    origin,
    ranks: [rank],
    x: tensor,
    y,
    xRow: first,
    yRow: 0,
    rows,
    columns: hidden,
  });
  return y;
}

/** @param from what the experts gave for the source's sorted rows, and how many rows of each expert that are */
export function unpermuteOps(
  { origin, add }: LayerContext,
  { experts, topK, weighsInput = false }: MoeLayer,
  { rank, routing, slices }: RoutedSource,
  from: { readonly returned: Tensor; readonly kept: Tensor },
  y: View,
): void {
  const own = { ...routing, ...(slices === undefined ? {} : { slices }) };
  const common = { origin, ranks: [rank], ...own, experts, topK };
  add({
    op: "unpermute",
    ...common,
    x: from.returned,
    kept: from.kept,
    y,
    isWeighted: !weighsInput,
  });
}
