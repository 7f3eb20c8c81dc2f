// Mixture of experts. Ranks that have tokens route them, send them to the ranks that hold the chosen experts, and
// combine what comes back. Where a rank holds all experts, or a slice of all, nothing is sent.

import type { MoeLayer } from "../../plan/plan.ts";
import { windowRows } from "../builder.ts";
import { interleave, recordBlock } from "../overlap_blocks.ts";
import type { Move } from "../move.ts";
import { allGatherRows, reduceScatterRows } from "../moves.ts";
import { memberRowsOf } from "../redistribute.ts";
import { settle, splitEvenly, startsOf, type Share, type Value } from "../value.ts";
import { declareActivation, type LayerContext } from "./context.ts";
import {
  columnsOf,
  isLocal,
  slicesOf,
  sourcesOf,
  type Column,
  type Source,
} from "./expert_columns.ts";
import { holdingsOf, runExperts, runOwnExperts } from "./expert_networks.ts";
import { combine, returnBuffers, route, routeBuffers } from "./expert_route.ts";
import { transfer } from "./expert_transfer.ts";
import { feedForwardShare } from "./mlp.ts";

export const lowerMoe = (context: LayerContext, layer: MoeLayer, value: Value): Value => {
  const { builder, origin } = context;
  const isSliced = slicesOf(layer) > 1;
  const input = isSliced
    ? {
        ...value,
        shares: value.shares.map((share, i) => {
          const name = `${origin.layer}/tokens/${i}`;
          return wholeOn({ builder, origin, name, columns: layer.hidden, to: share.group }, share);
        }),
      }
    : value;
  for (const column of columnsOf(layer, input.shares)) {
    const blocks = blocksOf(context, layer, column);
    if (blocks.length === 1) lowerColumn(context, layer, column);
    else lowerInBlocks(context, layer, column, blocks);
  }
  if (layer.sharedFfn !== undefined) addShared(context, layer, layer.sharedFfn, input, isSliced);
  const buffer = `${origin.layer}/out`;
  const shares = input.shares.map((share): Share => {
    if (isSliced) return { ...share, layout: "partial", buffer };
    const memberRows = memberRowsOf(share);
    const active = memberRows.flatMap((rows, i) => (rows > 0 ? [i] : []));
    return {
      ...share,
      group: active.map((i) => share.group[i] ?? 0),
      layout: "rows",
      memberRows: active.map((i) => memberRows[i] ?? 0),
      buffer,
    };
  });
  return { ...input, origin, shares };
};

/** The whole layer on the rows of one column. */
const lowerColumn = (context: LayerContext, layer: MoeLayer, column: Column): void => {
  for (const source of column.sources) route(context, layer, source, column.slice.index === 0);
  // A capacity is kept by the dispatch.
  if (isLocal(column) && layer.capacityFactor === undefined) {
    for (const source of column.sources) lowerLocally(context, layer, column, source);
    return;
  }
  transfer(context, layer, column, "dispatch");
  runExperts(context, layer, column);
  transfer(context, layer, column, "combine");
  for (const source of column.sources) {
    combine(context, layer, source, returnBuffers(context, layer, source));
  }
};

/** The experts read the rows where they were sorted. */
const lowerLocally = (
  context: LayerContext,
  layer: MoeLayer,
  column: Column,
  source: Source,
): void => {
  const { sorted, offsets, counts } = routeBuffers(context, layer, source);
  const rows = source.rows * layer.topK;
  const output = declareActivation(context, source.rank, "experts/out", rows, layer.hidden);
  for (const own of holdingsOf(layer, column)) {
    runOwnExperts(context, layer, own, { input: sorted, offsets, output, rows });
  }
  combine(context, layer, source, { returned: output, kept: counts });
};

/** The experts of one block compute while rows of the other are on their way. */
const overlappedBlocks = 2;

/**
 * Rows of the sources block by block, where the plan overlaps. Not with a capacity, which counts all tokens at
 * once.
 */
const blocksOf = (
  { overlap }: LayerContext,
  layer: MoeLayer,
  { sources, holders }: Column,
): (readonly Source[])[] => {
  const leaves = sources.some(({ rank }) => holders.some((gpu) => gpu !== rank));
  const isLong = sources.some(({ rows }) => rows >= overlappedBlocks * windowRows);
  if (!overlap || !leaves || !isLong || layer.capacityFactor !== undefined) return [sources];
  return Array.from({ length: overlappedBlocks }, (_, block) =>
    sources.flatMap((source): Source[] => {
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
};

const lowerInBlocks = (
  context: LayerContext,
  layer: MoeLayer,
  column: Column,
  blocks: readonly (readonly Source[])[],
): void => {
  const { builder, origin } = context;
  const result = `${origin.layer}/${layer.sharedFfn === undefined ? "out" : "routed"}`;
  const firstOf = new Map<number, number>();
  const rowsOf = new Map<number, number>();
  for (const { rank, rows, first } of blocks.flat()) {
    firstOf.set(rank, Math.min(first, firstOf.get(rank) ?? Infinity));
    rowsOf.set(rank, rows + (rowsOf.get(rank) ?? 0));
  }
  for (const [rank, rows] of rowsOf) {
    builder.declare(rank, {
      id: result,
      layer: origin.layer,
      role: "activation",
      shape: [rows, layer.hidden],
    });
  }
  interleave(
    builder,
    blocks.map((sources, block) => {
      const recorded = recordBlock(builder, block, {
        id: result,
        window(rank) {
          const { first = 0, rows = 0 } = sources.find((source) => source.rank === rank) ?? {};
          return builder.window(rank, result, layer.hidden, first - (firstOf.get(rank) ?? 0), rows);
        },
      });
      lowerColumn({ ...context, builder: recorded.builder }, layer, { ...column, sources });
      return recorded.instructions;
    }),
  );
};

/**
 * Experts that every token passes: a dense network of the tensor group, added to what the others give.
 *
 * @param isSliced what the others give are summands, as what the network gives
 */
const addShared = (
  context: LayerContext,
  layer: MoeLayer,
  ffn: number,
  input: Value,
  isSliced: boolean,
): void => {
  const { builder, origin } = context;
  const { hidden, activation } = layer;
  const add = (rank: number, rows: number, shared: string): void => {
    const out = declareActivation(context, rank, "out", rows, hidden);
    builder.kernel(rank, origin, { kernel: "add", shape: { rows, columns: hidden } }, [
      `${origin.layer}/routed`,
      shared,
      out,
    ]);
  };
  for (const [i, share] of input.shares.entries()) {
    const network = { hidden, ffn, activation };
    const name = `${origin.layer}/shared/${i}`;
    const move: Move = { builder, origin, name, columns: hidden, to: share.group };
    const whole = wholeOn(move, share);
    const partial = settle(feedForwardShare(context, whole, network, "shared/"));
    if (isSliced) {
      for (const rank of share.group) add(rank, share.rows, partial.buffer);
      continue;
    }
    const summed = share.group.length === 1 ? partial : reduceScatterRows(move, partial);
    for (const { rank, rows } of sourcesOf(share)) if (rows > 0) add(rank, rows, summed.buffer);
  }
};

/** Every rank of the group with all rows, where sequence parallelism left each with some. */
const wholeOn = (move: Move, share: Share): Share =>
  share.layout === "rows" && share.group.length > 1
    ? allGatherRows({ ...move, name: `${move.name}/whole` }, share, false)
    : share;
