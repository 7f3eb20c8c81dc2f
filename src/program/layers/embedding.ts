// Token ids to hidden vectors: column splits the hidden dimension, row the vocabulary.

import type { EmbeddingLayer } from "../../plan/plan.ts";
import { replicaRows, type Share, type Value } from "../value.ts";
import { layoutOf } from "./linear.ts";
import { declareActivation, declareWeight, type LayerContext } from "./context.ts";
import { tableRegion, tableScale } from "./embedding_table.ts";

export const lowerEmbedding = (context: LayerContext, layer: EmbeddingLayer): Value => {
  const { workload, origin, contextRanks } = context;
  const sampleRows = workload.sequence / contextRanks;
  const rows = (workload.batch / workload.microBatches) * workload.sequence;
  const shares = replicaRows(rows, sampleRows, layer.groups).map((range, i) =>
    embeddingShare(context, layer, {
      group: layer.groups[i] ?? [],
      ...range,
      layout: "replicated",
      buffer: `${origin.layer}/out`,
    }),
  );
  return { rows, columns: layer.hidden, sampleRows, origin, shares };
};

const embeddingShare = (context: LayerContext, layer: EmbeddingLayer, share: Share): Share => {
  const { builder, origin, workload } = context;
  const { vocabulary, split } = layer;
  const size = share.group.length;
  const hidden = split === "column" ? layer.hidden / size : layer.hidden;
  const allTokens = workload.batch * workload.sequence;
  const firstToken = origin.microBatch * (allTokens / workload.microBatches) + share.rowOffset;
  for (const [i, rank] of share.group.entries()) {
    const ids = builder.declare(rank, {
      id: "ids",
      layer: origin.layer,
      role: "input",
      dtype: "u32",
      shape: [share.rows],
    });
    builder.emit(rank, {
      op: "input",
      origin,
      buffer: ids,
      content: {
        kind: "ids",
        tensor: "ids",
        vocabulary,
        shape: [allTokens],
        offset: [firstToken],
        size: [share.rows],
      },
    });
    const region = tableRegion(layer, i, size);
    const table = declareWeight(context, rank, "weight", { ...region, scale: tableScale });
    const y = declareActivation(context, rank, "out", share.rows, hidden);
    builder.kernel(
      rank,
      origin,
      {
        kernel: "embedding",
        shape: {
          tokens: share.rows,
          hidden,
          vocabularyStart: region.offset[0],
          vocabularyRows: region.size[0],
        },
      },
      [ids, table, y],
    );
  }
  return { ...share, layout: layoutOf(split, size) };
};
