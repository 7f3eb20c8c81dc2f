// What the ranks that hold experts do in a mixture of experts: each expert's network on the rows sent to it.

import type { Finish } from "../../kernels/product.ts";
import { expertShares, placedExperts } from "../../plan/mesh.ts";
import type { MoeLayer } from "../../plan/plan.ts";
import { startsOf } from "../value.ts";
import { declareActivation, declareWeight, weightScale, type LayerContext } from "./context.ts";
import { tokensOf, type Column } from "./expert_columns.ts";

/** Rows that an expert rank must have room for. */
export const expertRows = (layer: MoeLayer, ownExperts: number, tokens: number): number => {
  const all = tokens * layer.topK;
  const capacity = capacityOf(layer, tokens);
  return capacity === undefined ? all : Math.min(all, capacity * ownExperts);
};

/** Rows one expert accepts, as Switch Transformer defines it; undefined: dropless. */
export const capacityOf = (layer: MoeLayer, tokens: number): number | undefined =>
  layer.capacityFactor === undefined
    ? undefined
    : Math.ceil(((tokens * layer.topK) / layer.experts) * layer.capacityFactor);

export const expertBuffers = (
  { builder, origin, idOf }: LayerContext,
  layer: MoeLayer,
  rank: number,
  rows: number,
  own: number,
) => ({
  received: builder.declare(rank, {
    id: idOf("experts/in"),
    layer: origin.layer,
    role: "activation",
    shape: [rows, layer.hidden],
  }),
  offsets: builder.declare(rank, {
    id: idOf("experts/offsets"),
    layer: origin.layer,
    role: "activation",
    dtype: "u32",
    shape: [own + 1],
  }),
  out: builder.declare(rank, {
    id: idOf("experts/out"),
    layer: origin.layer,
    role: "activation",
    shape: [rows, layer.hidden],
  }),
});

/** Rows sorted by expert, where they are. */
export interface ExpertRows {
  readonly input: string;
  /** u32 [own experts + 1] */
  readonly offsets: string;
  readonly output: string;
  /** Room for so many. */
  readonly rows: number;
}

/** The feed-forward network of each expert, over the rows that each holder received. */
export const runExperts = (context: LayerContext, layer: MoeLayer, column: Column): void => {
  for (const own of holdingsOf(layer, column)) {
    const { rank, experts, tokens } = own;
    const rows = expertRows(layer, experts, tokens);
    const { received, offsets, out } = expertBuffers(context, layer, rank, rows, experts);
    runOwnExperts(context, layer, own, { input: received, offsets, output: out, rows });
  }
};

/** What one rank has of the experts of a column. */
export interface Holding {
  readonly rank: number;
  /** How many, from the number `first` on. */
  readonly experts: number;
  readonly first: number;
  readonly slice: Column["slice"];
  /** Of the whole column. */
  readonly tokens: number;
}

export const holdingsOf = (layer: MoeLayer, column: Column): Holding[] => {
  const { holders, slice } = column;
  const tokens = tokensOf(column);
  const sizes = expertShares(placedExperts(layer), holders.length);
  const starts = startsOf(sizes);
  return holders.map((rank, at) => ({
    rank,
    experts: sizes[at] ?? 0,
    first: starts[at] ?? 0,
    slice,
    tokens,
  }));
};

export const runOwnExperts = (
  context: LayerContext,
  layer: MoeLayer,
  { rank, experts, first, slice, tokens }: Holding,
  { input, offsets, output, rows }: ExpertRows,
): void => {
  const { builder, origin } = context;
  const { hidden } = layer;
  const ffn = layer.ffn / slice.of;
  const share = (tokens * layer.topK * experts) / placedExperts(layer);
  const expectedRows = Math.min(rows, Math.round(share));
  const gated = layer.activation === "silu";
  const weight = (part: string, size: readonly [number, number]): string => {
    const [k, n] = part === "down" ? [layer.ffn, hidden] : [hidden, layer.ffn];
    const inner = slice.index * ffn;
    return declareWeight(context, rank, `experts/${part}/weight`, {
      shape: [placedExperts(layer), k, n],
      offset: part === "down" ? [first, inner, 0] : [first, 0, inner],
      size: [experts, ...size],
      scale: weightScale(k),
    });
  };
  const inner = (part: string): string =>
    declareActivation(context, rank, `experts/${part}/out`, rows, ffn);
  const widen = (part: string, finish: Finish, gate: readonly string[] = []): string => {
    const shape = { experts, rows, expectedRows, n: ffn, k: hidden, ...finish };
    const buffers = [input, weight(part, [hidden, ffn]), offsets, ...gate, inner(part)];
    builder.kernel(rank, origin, { kernel: "grouped_matmul", shape }, buffers);
    return inner(part);
  };
  const up = widen("up", { activation: gated ? "none" : "gelu" });
  const x = gated ? widen("gate", { activation: "silu", gate: true }, [up]) : up;
  const shape = { experts, rows, expectedRows, n: hidden, k: ffn, activation: "none" } as const;
  builder.kernel(rank, origin, { kernel: "grouped_matmul", shape }, [
    x,
    weight("down", [ffn, hidden]),
    offsets,
    output,
  ]);
};
