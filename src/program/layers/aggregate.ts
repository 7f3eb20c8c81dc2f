// The mean over each sequence, or over the whole batch.

import type { AggregateLayer } from "../../plan/layers/aggregate.ts";
import { partOn, type Shard, type ShardedTensor } from "../tensor.ts";
import { activation, type LayerContext } from "./context.ts";

export function aggregateOps(
  context: LayerContext,
  layer: AggregateLayer,
  input: ShardedTensor,
): ShardedTensor {
  const { origin } = context;
  const overBatch = layer.over === "batch";
  const shards = input.shards.map((shard) => aggregateShard(context, input, shard, overBatch));
  const result = { ...input, origin, sampleRows: 1, rows: input.rows / input.sampleRows };
  if (!overBatch) return { ...result, shards };
  const [first, ...others] = shards;
  if (first === undefined) throw new Error(`${origin.layer}: nothing to aggregate`);
  const whole = others.length === 0 ? first : summandsOf(first, shards);
  return { ...result, rows: 1, shards: [whole] };
}

function aggregateShard(
  context: LayerContext,
  input: ShardedTensor,
  shard: Shard,
  overBatch: boolean,
): Shard {
  const { origin, add } = context;
  const { ranks, rows, placement } = shard;
  const group = overBatch ? rows : input.sampleRows;
  const scale = 1 / (overBatch ? input.rows : input.sampleRows);
  const size = ranks.length;
  // A tensor group divides the columns; means of replicas are summed whole.
  const splits = size > 1 && input.columns % size === 0 && !(overBatch && input.shards.length > 1);
  const columns = splits ? input.columns / size : input.columns;
  let x = shard.tensor;
  if (splits && placement.kind === "replicate") {
    const slice = activation(context, "slice", ranks, [rows, columns]);
    add({ op: "slice-columns", origin, ranks, x, y: slice });
    x = slice;
  }
  const y = activation(context, "out", ranks, [rows / group, columns]);
  add({ op: "aggregate", origin, ranks, x, y, group, scale });
  return {
    ranks,
    rowOffset: shard.rowOffset / group,
    rows: rows / group,
    placement: splits ? { kind: "columns" } : placement,
    tensor: y,
  };
}

/** Each replica's mean is a summand of the mean over all: its first member stands for it. */
function summandsOf({ tensor }: Shard, shards: readonly Shard[]): Shard {
  const parts = shards.flatMap(({ ranks: [rank = 0], tensor: own }) => {
    const part = partOn(own, rank);
    return part === undefined ? [] : [[rank, part] as const];
  });
  return {
    ranks: parts.map(([rank]) => rank),
    rowOffset: 0,
    rows: 1,
    placement: { kind: "partial" },
    tensor: {
      ...tensor,
      parts: { ranks: parts.map(([rank]) => rank), held: parts.map(([, part]) => part) },
    },
  };
}
