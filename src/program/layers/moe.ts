// Mixture of experts. Ranks that have tokens route them, send them to the ranks that hold the chosen experts, and
// combine what comes back. Where a rank holds all experts, or a slice of all, nothing is sent.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import type { NewOp } from "../op.ts";
import type { RouterLosses } from "../expert_op.ts";
import { allGatherRows } from "../transfers.ts";
import {
  joinTensors,
  memberRowsOf,
  type Shard,
  type ShardedTensor,
  splitEvenly,
  startsOf,
  type Tensor,
  type View,
  whole,
} from "../tensor.ts";
import { windowRows } from "../window.ts";
import { activation, type LayerContext } from "./context.ts";
import {
  expertColumns,
  isLocal,
  expertSlices,
  type ExpertColumn,
  type TokenHolder,
} from "./expert_columns.ts";
import { dispatchOps } from "./expert_dispatch.ts";
import { routeOps, type RoutedSource, unpermuteOps } from "./expert_router.ts";
import { expertOps, holdingsOf } from "./experts.ts";
import { gatherCounts, isCounted, routerLossesOf } from "./router_losses.ts";
import { addSharedExperts } from "./shared_experts.ts";

export function moeOps(
  context: LayerContext,
  layer: MoeLayer,
  value: ShardedTensor,
): ShardedTensor {
  const { origin } = context;
  const isSliced = expertSlices(layer) > 1;
  const input = isSliced ? wholeOnGroups(context, layer, value) : value;
  const routed = new Map<number, Tensor>();
  const columns = expertColumns(layer, input.shards);
  const losses = routerLossesOf(context, layer, columns);
  const counted: RoutedSource[] = [];
  for (const column of columns) {
    const own = losses && isCounted(column) ? { losses, counted } : undefined;
    for (const [rank, tensor] of columnOps(context, layer, column, own)) routed.set(rank, tensor);
  }
  if (losses !== undefined) gatherCounts(context, layer, counted, losses);
  const shards = input.shards.map((shard): Shard => {
    const memberRows = memberRowsOf(shard);
    const active = shard.ranks.flatMap((rank, i) =>
      isSliced || (memberRows[i] ?? 0) > 0 ? [{ rank, rows: memberRows[i] ?? 0 }] : [],
    );
    const ranks = active.map(({ rank }) => rank);
    return {
      ...shard,
      ranks,
      placement: isSliced
        ? { kind: "partial" }
        : { kind: "rows", rows: active.map(({ rows }) => rows) },
      tensor: resultOn(context, layer, ranks, routed),
    };
  });
  const result = { ...input, origin, shards };
  return layer.sharedFfn === undefined
    ? result
    : addSharedExperts(context, layer, layer.sharedFfn, input, result);
}

/** What the ranks' columns gave, as one tensor; of a replica without samples, none. */
function resultOn(
  context: LayerContext,
  { hidden, sharedFfn }: MoeLayer,
  ranks: readonly number[],
  routed: ReadonlyMap<number, Tensor>,
): Tensor {
  return ranks.length === 0
    ? activation(context, sharedFfn === undefined ? "out" : "routed", [], [0, hidden])
    : joinTensors(ranks.flatMap((rank) => routed.get(rank) ?? []));
}

/** Every rank of a group with all its rows, where sequence parallelism left each with some. */
function wholeOnGroups(
  context: LayerContext,
  layer: MoeLayer,
  value: ShardedTensor,
): ShardedTensor {
  return {
    ...value,
    shards: value.shards.map((shard, i) =>
      shard.placement.kind === "rows" && shard.ranks.length > 1
        ? allGatherRows(
            {
              ...context,
              name: `${context.origin.layer}/tokens/${i}/whole`,
              columns: layer.hidden,
              to: shard.ranks,
            },
            shard,
            false,
          )
        : shard,
    ),
  };
}

/** Of a column whose router has losses of its own: them, and the sources whose choices they count. */
interface Trained {
  readonly losses: RouterLosses;
  readonly counted: RoutedSource[];
}

/** The layer on the rows of one column; gives each rank's result. */
function columnOps(
  context: LayerContext,
  layer: MoeLayer,
  column: ExpertColumn,
  trained: Trained | undefined,
): Map<number, Tensor> {
  const rowsOf = new Map(column.sources.map(({ rank, rows }) => [rank, rows]));
  const firstOf = new Map(column.sources.map(({ rank, first }) => [rank, first]));
  const part = layer.sharedFfn === undefined ? "out" : "routed";
  const results = new Map(
    [...rowsOf].map(([rank, rows]) => {
      return [rank, activation(context, part, [rank], [rows, layer.hidden])] as const;
    }),
  );
  const resultOf = ({ rank, first, rows }: TokenHolder): View => {
    const tensor = results.get(rank);
    if (tensor === undefined) throw new Error(`rank ${rank} has no rows`);
    if (rows === rowsOf.get(rank)) return whole(tensor);
    return { tensor, window: { first: first - (firstOf.get(rank) ?? 0), rows } };
  };
  const blocks = blocksOf(context, layer, column);
  if (blocks.length === 1) {
    blockOps(context, layer, column, resultOf, trained);
    return results;
  }
  for (const [block, sources] of blocks.entries()) {
    const of = `${context.origin.layer}${column.key}`;
    const add = (op: NewOp): void => context.add({ ...op, block: { of, index: block } });
    blockOps({ ...context, block, add }, layer, { ...column, sources }, resultOf, trained);
  }
  return results;
}

function blockOps(
  context: LayerContext,
  layer: MoeLayer,
  column: ExpertColumn,
  resultOf: (source: TokenHolder) => View,
  trained: Trained | undefined,
): void {
  const sources = column.sources.map((source) =>
    routeOps(context, layer, source, column.slice.index === 0, trained?.losses),
  );
  trained?.counted.push(...sources);
  const holdings = holdingsOf(layer, column);
  // A capacity is kept by the dispatch.
  if (isLocal(column) && layer.capacityFactor === undefined) {
    for (const source of sources) localOps(context, layer, column, source, resultOf(source));
    return;
  }
  const { received, combine } = dispatchOps(context, layer, column, sources, holdings);
  for (const [at, holding] of holdings.entries()) {
    const rows = received[at];
    if (rows !== undefined) expertOps(context, layer, holding, rows);
  }
  const returned = combine();
  for (const [at, source] of sources.entries()) {
    const own = returned[at];
    if (own !== undefined) unpermuteOps(context, layer, source, own, resultOf(source));
  }
}

/** The experts read the rows where they were sorted. */
function localOps(
  context: LayerContext,
  layer: MoeLayer,
  column: ExpertColumn,
  source: RoutedSource,
  y: View,
): void {
  const { sorted, routing, rank } = source;
  const rows = source.rows * layer.topK;
  const output = activation(context, "experts/out", [rank], [rows, layer.hidden]);
  for (const own of holdingsOf(layer, column)) {
    expertOps(context, layer, own, { input: sorted, offsets: routing.offsets, output, rows });
  }
  unpermuteOps(context, layer, source, { returned: output, kept: routing.counts }, y);
}

/** The experts of one block may compute while rows of the other are on their way (`chunk`). */
const overlappedBlocks = 2;

/**
 * Rows of the sources block by block, where the plan overlaps. Not with a capacity, which counts all tokens at
 * once, nor in training, whose backward pass takes all rows of a source together.
 */
function blocksOf(
  { overlap, workload }: LayerContext,
  layer: MoeLayer,
  { sources, holders }: ExpertColumn,
): (readonly TokenHolder[])[] {
  const leaves = sources.some(({ rank }) => holders.some((gpu) => gpu !== rank));
  const isLong = sources.some(({ rows }) => rows >= overlappedBlocks * windowRows);
  const isTrained = workload.optimizer !== undefined;
  if (!overlap || isTrained || !leaves || !isLong || layer.capacityFactor !== undefined) {
    return [sources];
  }
  return Array.from({ length: overlappedBlocks }, (_, block) =>
    sources.flatMap((source): TokenHolder[] => {
      const units = Math.floor(source.rows / windowRows);
      const sizes = splitEvenly(units * windowRows, overlappedBlocks, windowRows);
      // The rows that fill no unit of their own go with the last block.
      const rest = source.rows - units * windowRows;
      const rows = (sizes[block] ?? 0) + (block === overlappedBlocks - 1 ? rest : 0);
      const before = startsOf(sizes)[block] ?? 0;
      if (rows === 0) return [];
      return [
        {
          ...source,
          first: source.first + before,
          rows,
          rowOffset: source.rowOffset + before,
          alone: false,
        },
      ];
    }),
  );
}
