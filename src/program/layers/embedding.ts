// Token ids to hidden vectors: column splits the hidden dimension, row the vocabulary.

import type { EmbeddingLayer } from "../../plan/layers/embedding.ts";
import { positionsOf, type RowRange } from "../serving/cache_tables.ts";
import { servedBy } from "../serving/served.ts";
import { replicaRows, sameOn, type Shard, type ShardedTensor, type Tensor } from "../tensor.ts";
import { readAhead } from "../token_source.ts";
import { activation, orderOf, weight, type LayerContext } from "./context.ts";
import { positionScale, tableRegion, tableScale } from "./embedding_table.ts";
import { placementOf } from "./linear.ts";

export function embeddingOps(context: LayerContext, layer: EmbeddingLayer): ShardedTensor {
  const { workload, origin, contextRanks } = context;
  const sampleRows = workload.sequence / contextRanks;
  const rows = (workload.batch / workload.microBatches) * workload.sequence;
  const shards = replicaRows(rows, sampleRows, layer.groups).map((range, i) =>
    embeddingShard(context, layer, layer.groups[i] ?? [], { ...range, index: i }),
  );
  return { rows, columns: layer.hidden, sampleRows, origin, shards };
}

function embeddingShard(
  context: LayerContext,
  layer: EmbeddingLayer,
  ranks: readonly number[],
  { index, ...range }: RowRange & { readonly index: number },
): Shard {
  const { origin, workload, add } = context;
  const { vocabulary, split } = layer;
  const size = ranks.length;
  const hidden = split === "column" ? layer.hidden / size : layer.hidden;
  const allTokens = workload.batch * workload.sequence;
  const content = {
    kind: "ids",
    tensor: "ids",
    vocabulary,
    shape: [allTokens],
    offset: [range.rowOffset],
    size: [range.rows],
    ...orderOf(context),
  } as const;
  const own = { shape: [range.rows], content };
  const ids: Tensor = {
    name: "ids",
    layer: origin.layer,
    role: "input",
    dtype: "u32",
    parts: sameOn(ranks, own),
  };
  const rowsPerMicroBatch = allTokens / workload.microBatches;
  const rowsOf = ranks.map(() => ({ firstRow: range.rowOffset, rows: range.rows }));
  const served = servedBy(workload, { what: "ids", vocabulary }, rowsOf);
  const ahead = readAhead(workload);
  add({ op: "input", origin, ranks, y: ids, rowsPerMicroBatch, ...served, ...ahead });
  const table = weight(context, "weight", ranks, (member) => ({
    ...tableRegion(layer, member, size),
    scale: tableScale,
  }));
  const y = activation(context, "out", ranks, [range.rows, hidden]);
  const { scale, positions } = layer;
  const { spans, ...places } =
    positions === undefined
      ? {}
      : positionsOf(context, ranks, { ...range, index }, workload.sequence);
  add({
    op: "embedding",
    origin,
    ranks,
    ids,
    table,
    ...(scale === undefined ? {} : { scale }),
    ...(positions === undefined
      ? {}
      : {
          positions: {
            table: positionTable(context, layer, positions.count, ranks),
            first: positions.offset ?? 0,
            sequence: workload.sequence,
            ...places,
          },
        }),
    ...(spans && { spans }),
    y,
  });
  return { ranks, ...range, placement: placementOf(split, size), tensor: y };
}

/** All rows on every rank, which adds them to the tokens whose ids it holds: a sum over the ranks has each once. */
function positionTable(
  context: LayerContext,
  { hidden, split }: EmbeddingLayer,
  count: number,
  ranks: readonly number[],
): Tensor {
  const own = split === "column" ? hidden / ranks.length : hidden;
  return weight(context, "positions", ranks, (member) => ({
    shape: [count, hidden],
    offset: [0, split === "column" ? member * own : 0],
    size: [count, own],
    scale: positionScale,
  }));
}
