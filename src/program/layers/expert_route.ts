// What the ranks that have tokens do in a mixture of experts: choose experts, sort tokens by expert, and weigh what
// comes back.

import type { MoeLayer } from "../../plan/plan.ts";
import { sliceRows } from "../moves.ts";
import { declareActivation, declareWeight, weightScale, type LayerContext } from "./context.ts";
import type { Source } from "./expert_columns.ts";

/**
 * Router, top-k, and the source's rows sorted by expert.
 *
 * @param isShown whether the check sees the choices: of ranks that route the same rows, one shows them
 */
export const route = (
  context: LayerContext,
  layer: MoeLayer,
  source: Source,
  isShown: boolean,
): void => {
  const { builder, origin } = context;
  const { rank, rows } = source;
  const { hidden, experts, topK, renormalise } = layer;
  const x = source.alone
    ? source.buffer
    : sliceRows(
        builder,
        rank,
        origin,
        `${origin.layer}/tokens`,
        hidden,
        source.buffer,
        source.first,
        rows,
      );
  const router = declareWeight(context, rank, "router/weight", {
    shape: [hidden, experts],
    offset: [0, 0],
    size: [hidden, experts],
    scale: weightScale(hidden),
  });
  const logits = declareActivation(context, rank, "router/logits", rows, experts);
  builder.kernel(
    rank,
    origin,
    { kernel: "matmul", shape: { m: rows, n: experts, k: hidden, activation: "none" } },
    [x, router, logits],
  );
  const { ids, weights, positions, counts, offsets, sorted } = routeBuffers(context, layer, source);
  builder.kernel(
    rank,
    origin,
    { kernel: "route_top_k", shape: { tokens: rows, experts, topK, renormalise } },
    [logits, ids, weights],
  );
  if (isShown) {
    builder.emit(rank, {
      op: "observe",
      origin,
      buffer: ids,
      observation: { kind: "routes", rowOffset: source.rowOffset, rows, topK },
    });
  }
  builder.kernel(
    rank,
    origin,
    { kernel: "route_positions", shape: { tokens: rows, experts, topK } },
    [ids, positions, counts, offsets],
  );
  builder.kernel(
    rank,
    origin,
    { kernel: "permute_tokens", shape: { tokens: rows, topK, hidden, experts } },
    [x, ids, positions, offsets, sorted],
  );
};

/** What a source remembers until it combines. */
export const routeBuffers = (context: LayerContext, layer: MoeLayer, source: Source) => {
  const { rank, rows } = source;
  const { experts, topK, hidden } = layer;
  const choices = rows * topK;
  const table = (part: string, size: number): string => declareTable(context, rank, part, size);
  return {
    ids: table("ids", choices),
    weights: table("weights", choices),
    positions: table("positions", choices),
    counts: table("counts", experts),
    offsets: table("offsets", experts + 1),
    sorted: declareActivation(context, rank, "sorted", choices, hidden),
  };
};

/** What comes back to a source that sent its tokens away: their results, and how many of each expert's were taken. */
export const returnBuffers = (context: LayerContext, layer: MoeLayer, source: Source) => ({
  kept: declareTable(context, source.rank, "kept", layer.experts),
  returned: declareActivation(
    context,
    source.rank,
    "returned",
    source.rows * layer.topK,
    layer.hidden,
  ),
});

/** 4-byte words without padding, whatever the plan's dtype; the weights are f32. */
const declareTable = (
  { builder, origin, idOf }: LayerContext,
  rank: number,
  part: string,
  size: number,
): string =>
  builder.declare(rank, {
    id: idOf(part),
    layer: origin.layer,
    role: "activation",
    dtype: "u32",
    shape: [size],
  });

/** @param from what the experts gave for the source's sorted rows, and how many rows of each expert that are */
export const combine = (
  context: LayerContext,
  layer: MoeLayer,
  source: Source,
  from: { readonly returned: string; readonly kept: string },
): void => {
  const { builder, origin } = context;
  const { rank, rows } = source;
  const { hidden, experts, topK } = layer;
  const { ids, positions, offsets, weights } = routeBuffers(context, layer, source);
  const part = layer.sharedFfn === undefined ? "out" : "routed";
  const y = declareActivation(context, rank, part, rows, hidden);
  builder.kernel(
    rank,
    origin,
    { kernel: "combine_tokens", shape: { tokens: rows, topK, hidden, experts } },
    [from.returned, ids, positions, offsets, from.kept, weights, y],
  );
};
