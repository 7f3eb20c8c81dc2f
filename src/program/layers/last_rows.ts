// The rows of a prefill step that a head multiplies: of each request the last of its new tokens. Logits of the others
// nobody reads.

import type { Layer } from "../../plan/layers/layers.ts";
import { servedBy } from "../serving/served.ts";
import { mapParts, sameOn, type Shard, type ShardedTensor, type Tensor } from "../tensor.ts";
import { activationTensor, type LayerContext } from "./context.ts";

/** What the layer reads of its input: where it gives logits, one row of each request, else all rows. */
export function rowsOfHead(
  context: LayerContext,
  layer: Layer,
  input: ShardedTensor,
): ShardedTensor {
  const { cache, embedding } = context;
  const isHead = layer.op === "linear" && layer.out === embedding?.layer.vocabulary;
  const isSplit = input.shards.some(({ placement }) => placement.kind === "rows");
  if (cache === undefined || cache.queries === 1 || !isHead || isSplit) return input;
  const { queries } = cache;
  return {
    ...input,
    rows: input.rows / queries,
    sampleRows: 1,
    shards: input.shards.map((shard) => lastRows(context, shard, queries)),
  };
}

function lastRows(context: LayerContext, shard: Shard, queries: number): Shard {
  const { origin, add, workload } = context;
  const { ranks, tensor: x } = shard;
  const rows = shard.rows / queries;
  const rowOffset = shard.rowOffset / queries;
  const ids: Tensor = {
    name: `${origin.layer}/last rows`,
    layer: origin.layer,
    role: "input",
    dtype: "u32",
    parts: sameOn(ranks, { shape: [rows] }),
  };
  const own = ranks.map(() => ({ firstRow: rowOffset, rows }));
  add({
    op: "input",
    origin,
    ranks,
    y: ids,
    rowsPerMicroBatch: workload.batch / workload.microBatches,
    ...servedBy(workload, { what: "last-row", queries }, own, 1),
  });
  const parts = mapParts(x.parts, ({ shape: [, columns = 0] }) => ({ shape: [rows, columns] }));
  const y = activationTensor(context, "last", parts);
  add({ op: "gather-rows", origin, ranks, x, ids, y });
  return { ...shard, rowOffset, rows, tensor: y };
}
