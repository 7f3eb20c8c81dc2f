// Mixture of experts. Tokens are divided among the ranks of the source groups; each routes its own, sends
// them to the ranks that hold the chosen experts, and combines what comes back.

import type { MoeLayer } from "../../plan/plan.ts";
import type { Finish } from "../../kernels/product.ts";
import { bytesPerElement, paddedElements, rowPitch } from "../../kernels/storage.ts";
import { windowRows } from "../builder.ts";
import { interleave, recordBlock } from "../overlap_blocks.ts";
import type { Move } from "../move.ts";
import { allGatherRows, reduceScatterRows, sliceRows } from "../moves.ts";
import { memberRowsOf } from "../redistribute.ts";
import { membersOf, settle, splitEvenly, startsOf, type Share, type Value } from "../value.ts";
import { declareActivation, declareWeight, weightScale, type LayerContext } from "./context.ts";
import { feedForwardShare } from "./mlp.ts";

/** Tokens of one rank. */
interface Source {
  readonly rank: number;
  readonly buffer: string;
  /** Within the buffer. */
  readonly first: number;
  readonly rows: number;
  /** Within the micro-batch. */
  readonly rowOffset: number;
  /** The buffer holds the rows of no other source. */
  readonly alone: boolean;
}

export const lowerMoe = (context: LayerContext, layer: MoeLayer, input: Value): Value => {
  const { origin } = context;
  const sources = input.shares.flatMap(sourcesOf).filter((source) => source.rows > 0);
  const blocks = blocksOf(context, layer, sources);
  if (blocks.length === 1) lowerRows(context, layer, sources);
  else lowerInBlocks(context, layer, blocks);
  if (layer.sharedFfn !== undefined) addShared(context, layer, layer.sharedFfn, input);
  const shares = input.shares.map((share): Share => {
    const memberRows = memberRowsOf(share);
    const active = memberRows.flatMap((rows, i) => (rows > 0 ? [i] : []));
    return {
      ...share,
      group: active.map((i) => share.group[i] ?? 0),
      layout: "rows",
      memberRows: active.map((i) => memberRows[i] ?? 0),
      buffer: `${origin.layer}/out`,
    };
  });
  return { ...input, origin, shares };
};

/** The whole layer on some rows of each source. */
const lowerRows = (context: LayerContext, layer: MoeLayer, sources: readonly Source[]): void => {
  const tokens = sources.reduce((sum, { rows }) => sum + rows, 0);
  for (const source of sources) route(context, layer, source);
  transfer(context, layer, sources, tokens, "dispatch");
  runExperts(context, layer, tokens);
  transfer(context, layer, sources, tokens, "combine");
  for (const source of sources) combine(context, layer, source);
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
  sources: readonly Source[],
): (readonly Source[])[] => {
  const leaves = sources.some(({ rank }) => layer.expertGpus.some((gpu) => gpu !== rank));
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
    builder.declare(rank, { id: result, role: "activation", shape: [rows, layer.hidden] });
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
      lowerRows({ ...context, builder: recorded.builder }, layer, sources);
      return recorded.instructions;
    }),
  );
};

/** Experts that every token passes: a dense network of the tensor group, added to what the others give. */
const addShared = (context: LayerContext, layer: MoeLayer, ffn: number, input: Value): void => {
  const { builder, origin } = context;
  const { hidden, activation } = layer;
  for (const [i, share] of input.shares.entries()) {
    const network = { hidden, ffn, activation };
    const name = `${origin.layer}/shared/${i}`;
    const move: Move = { builder, origin, name, columns: hidden, to: share.group };
    const isSplit = share.layout === "rows" && share.group.length > 1;
    const whole = isSplit ? allGatherRows({ ...move, name: `${name}/whole` }, share, false) : share;
    const partial = settle(feedForwardShare(context, whole, network, "shared/"));
    const summed = share.group.length === 1 ? partial : reduceScatterRows(move, partial);
    for (const { rank, rows } of sourcesOf(share)) {
      if (rows === 0) continue;
      const out = declareActivation(context, rank, "out", rows, hidden);
      builder.kernel(rank, origin, { kernel: "add", shape: { rows, columns: hidden } }, [
        `${origin.layer}/routed`,
        summed.buffer,
        out,
      ]);
    }
  }
};

const sourcesOf = (share: Share): Source[] => {
  const alone = share.layout === "rows" || share.group.length === 1;
  return membersOf({ ...share, layout: "rows", memberRows: memberRowsOf(share) }).map(
    ({ rank, first, rows }) => ({
      rank,
      buffer: share.buffer,
      first: alone ? 0 : first,
      rows,
      rowOffset: share.rowOffset + first,
      alone,
    }),
  );
};

/** Router, top-k, and the source's rows sorted by expert. */
const route = (context: LayerContext, layer: MoeLayer, source: Source): void => {
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
  builder.emit(rank, {
    op: "observe",
    origin,
    buffer: ids,
    observation: { kind: "routes", rowOffset: source.rowOffset, rows, topK },
  });
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

/** What a source remembers between dispatch and combine. */
const routeBuffers = ({ builder, origin }: LayerContext, layer: MoeLayer, source: Source) => {
  const { rank, rows } = source;
  const { experts, topK, hidden } = layer;
  const choices = rows * topK;
  // 4-byte words without padding, whatever the plan's dtype; the weights are f32.
  const table = (part: string, size: number): string =>
    builder.declare(rank, {
      id: `${origin.layer}/${part}`,
      role: "activation",
      dtype: "u32",
      shape: [size],
    });
  const rowsBuffer = (part: string): string =>
    builder.declare(rank, {
      id: `${origin.layer}/${part}`,
      role: "activation",
      shape: [choices, hidden],
    });
  return {
    ids: table("ids", choices),
    weights: table("weights", choices),
    positions: table("positions", choices),
    counts: table("counts", experts),
    offsets: table("offsets", experts + 1),
    kept: table("kept", experts),
    sorted: rowsBuffer("sorted"),
    returned: rowsBuffer("returned"),
  };
};

/** Rows that an expert rank must have room for. */
const expertRows = (layer: MoeLayer, ownExperts: number, tokens: number): number => {
  const all = tokens * layer.topK;
  const capacity = capacityOf(layer, tokens);
  return capacity === undefined ? all : Math.min(all, capacity * ownExperts);
};

/** Rows one expert accepts, as Switch Transformer defines it; undefined: dropless. */
const capacityOf = (layer: MoeLayer, tokens: number): number | undefined =>
  layer.capacityFactor === undefined
    ? undefined
    : Math.ceil(((tokens * layer.topK) / layer.experts) * layer.capacityFactor);

const expertBuffers = (
  { builder, origin }: LayerContext,
  layer: MoeLayer,
  rank: number,
  rows: number,
  own: number,
) => ({
  received: builder.declare(rank, {
    id: `${origin.layer}/experts/in`,
    role: "activation",
    shape: [rows, layer.hidden],
  }),
  offsets: builder.declare(rank, {
    id: `${origin.layer}/experts/offsets`,
    role: "activation",
    dtype: "u32",
    shape: [own + 1],
  }),
  out: builder.declare(rank, {
    id: `${origin.layer}/experts/out`,
    role: "activation",
    shape: [rows, layer.hidden],
  }),
});

/** The uneven all-to-all there or back, on every rank that takes part. */
const transfer = (
  context: LayerContext,
  layer: MoeLayer,
  sources: readonly Source[],
  tokens: number,
  way: "dispatch" | "combine",
): void => {
  const { builder, origin } = context;
  const sourceRanks = sources.map((source) => source.rank);
  const expertsPerRank = splitEvenly(layer.experts, layer.expertGpus.length);
  const rowElements = rowPitch(layer.hidden);
  const capacity = capacityOf(layer, tokens);
  const elementBytes = bytesPerElement(builder.dtype);
  const dispatchName = `${origin.layer}/dispatch`;
  const sourceOf = new Map(sources.map((source) => [source.rank, source]));
  const expertAt = new Map(layer.expertGpus.map((rank, at) => [rank, at]));
  for (const rank of new Set([...sourceRanks, ...layer.expertGpus])) {
    const source = sourceOf.get(rank);
    const at = expertAt.get(rank) ?? -1;
    const own = expertsPerRank[at] ?? 0;
    const rows = expertRows(layer, own, tokens);
    const routed = source && routeBuffers(context, layer, source);
    const held = at >= 0 ? expertBuffers(context, layer, rank, rows, own) : undefined;
    const common = {
      origin,
      name: `${origin.layer}/${way}`,
      channel: builder.channel(`${origin.layer}/${way}`),
      dtype: builder.dtype,
      rows: tokens * layer.topK,
      rowElements,
      expertsPerRank,
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
        to: layer.expertGpus,
        ...(capacity === undefined ? {} : { capacity }),
        ...(routed ? { send: routed.sorted, counts: routed.counts, kept: routed.kept } : {}),
        ...(held ? { receive: held.received, offsets: held.offsets } : {}),
      });
    } else {
      builder.emit(rank, {
        op: "expert-combine",
        ...common,
        from: layer.expertGpus,
        to: sourceRanks,
        dispatch: builder.channel(dispatchName),
        ...(held ? { send: held.out } : {}),
        ...(routed ? { receive: routed.returned } : {}),
      });
    }
  }
};

/** The feed-forward network of each expert, over the rows that its rank received. */
const runExperts = (context: LayerContext, layer: MoeLayer, tokens: number): void => {
  const sizes = splitEvenly(layer.experts, layer.expertGpus.length);
  const starts = startsOf(sizes);
  for (const [i, rank] of layer.expertGpus.entries()) {
    runOwnExperts(context, layer, rank, { experts: sizes[i] ?? 0, first: starts[i] ?? 0, tokens });
  }
};

interface OwnExperts {
  readonly experts: number;
  readonly first: number;
  /** Of all sources together. */
  readonly tokens: number;
}

const runOwnExperts = (
  context: LayerContext,
  layer: MoeLayer,
  rank: number,
  { experts, first, tokens }: OwnExperts,
): void => {
  const { builder, origin } = context;
  const { hidden, ffn } = layer;
  const rows = expertRows(layer, experts, tokens);
  const expectedRows = Math.min(rows, Math.round((tokens * layer.topK * experts) / layer.experts));
  const { received, offsets, out } = expertBuffers(context, layer, rank, rows, experts);
  const gated = layer.activation === "silu";
  const weight = (part: string, k: number, n: number): string =>
    declareWeight(context, rank, `experts/${part}/weight`, {
      shape: [layer.experts, k, n],
      offset: [first, 0, 0],
      size: [experts, k, n],
      scale: weightScale(k),
    });
  const inner = (part: string): string =>
    declareActivation(context, rank, `experts/${part}/out`, rows, ffn);
  const widen = (part: string, finish: Finish, gate: readonly string[] = []): string => {
    const shape = { experts, rows, expectedRows, n: ffn, k: hidden, ...finish };
    const buffers = [received, weight(part, hidden, ffn), offsets, ...gate, inner(part)];
    builder.kernel(rank, origin, { kernel: "grouped_matmul", shape }, buffers);
    return inner(part);
  };
  const up = widen("up", { activation: gated ? "none" : "gelu" });
  const x = gated ? widen("gate", { activation: "silu", gate: true }, [up]) : up;
  const shape = { experts, rows, expectedRows, n: hidden, k: ffn, activation: "none" } as const;
  builder.kernel(rank, origin, { kernel: "grouped_matmul", shape }, [
    x,
    weight("down", ffn, hidden),
    offsets,
    out,
  ]);
};

const combine = (context: LayerContext, layer: MoeLayer, source: Source): void => {
  const { builder, origin } = context;
  const { rank, rows } = source;
  const { hidden, experts, topK } = layer;
  const { returned, ids, positions, offsets, kept, weights } = routeBuffers(context, layer, source);
  const part = layer.sharedFfn === undefined ? "out" : "routed";
  const y = declareActivation(context, rank, part, rows, hidden);
  builder.kernel(
    rank,
    origin,
    { kernel: "combine_tokens", shape: { tokens: rows, topK, hidden, experts } },
    [returned, ids, positions, offsets, kept, weights, y],
  );
};
