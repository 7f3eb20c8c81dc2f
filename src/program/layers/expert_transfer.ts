// The uneven all-to-all of a mixture of experts: tokens to the ranks that hold their experts, and results back.

import { bytesPerElement, paddedElements, rowPitch } from "../../kernels/storage.ts";
import { expertShares, placedExperts } from "../../plan/mesh.ts";
import type { MoeLayer } from "../../plan/plan.ts";
import type { LayerContext } from "./context.ts";
import { tokensOf, type Column } from "./expert_columns.ts";
import { capacityOf, expertBuffers, expertRows } from "./expert_networks.ts";
import { returnBuffers, routeBuffers } from "./expert_route.ts";

/** There or back, on every rank that takes part. */
export const transfer = (
  context: LayerContext,
  layer: MoeLayer,
  column: Column,
  way: "dispatch" | "combine",
): void => {
  const { builder, origin, idOf } = context;
  const { sources, holders, key } = column;
  const tokens = tokensOf(column);
  const sourceRanks = sources.map((source) => source.rank);
  const expertsPerRank = expertShares(placedExperts(layer), holders.length);
  const rowElements = rowPitch(layer.hidden);
  const capacity = capacityOf(layer, tokens);
  const elementBytes = bytesPerElement(builder.dtype);
  const name = idOf(way);
  const channelName = idOf(`${way}${key}`);
  const dispatchName = idOf(`dispatch${key}`);
  const sourceOf = new Map(sources.map((source) => [source.rank, source]));
  const expertAt = new Map(holders.map((rank, at) => [rank, at]));
  for (const rank of new Set([...sourceRanks, ...holders])) {
    const source = sourceOf.get(rank);
    const at = expertAt.get(rank) ?? -1;
    const own = expertsPerRank[at] ?? 0;
    const rows = expertRows(layer, own, tokens);
    const routed = source && {
      ...routeBuffers(context, layer, source),
      ...returnBuffers(context, layer, source),
    };
    const held = at >= 0 ? expertBuffers(context, layer, rank, rows, own) : undefined;
    const common = {
      origin,
      name,
      channel: builder.channel(channelName),
      dtype: builder.dtype,
      rows: tokens * layer.topK,
      rowElements,
      expertsPerRank,
      ...(capacity === undefined ? {} : { capacity }),
    };
    const sourceBytes =
      source &&
      paddedElements(source.rows * layer.topK, layer.hidden) * elementBytes + 4 * layer.experts;
    const heldBytes = held && rows * rowElements * elementBytes;
    builder.staging(rank, (way === "dispatch" ? sourceBytes : heldBytes) ?? 0);
    if (way === "dispatch") {
      builder.emit(rank, {
        op: "expert-dispatch",
        ...common,
        from: sourceRanks,
        to: holders,
        ...(routed ? { send: routed.sorted, counts: routed.counts, kept: routed.kept } : {}),
        ...(held ? { receive: held.received, offsets: held.offsets } : {}),
      });
    } else {
      builder.emit(rank, {
        op: "expert-combine",
        ...common,
        from: holders,
        to: sourceRanks,
        dispatch: builder.channel(dispatchName),
        ...(held ? { send: held.out } : {}),
        ...(routed ? { receive: routed.returned } : {}),
      });
    }
  }
};
