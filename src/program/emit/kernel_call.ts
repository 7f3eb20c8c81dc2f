// The kernel that an op runs on a rank: its sizes are those of what the rank holds of the op's tensors.

import type { KernelCall } from "../../kernels/catalog.ts";
import type { CacheShape } from "../../kernels/cache_shape.ts";
import type { AppendCacheOp, AttendCacheOp, CombineAttentionOp } from "../cache_op.ts";
import type { GroupedMatmulOp, MatmulOp, NormOp, Op, Transfer } from "../op.ts";
import type { Tensor, View } from "../tensor.ts";
import { partOn, whole } from "../tensor.ts";

export interface EmittedKernel {
  readonly call: KernelCall;
  /** In the order of the kernel's bindings. */
  readonly operands: readonly View[];
}

export type KernelOp = Exclude<
  Op,
  Transfer | { readonly op: "input" | "copy" | "observe" | "done" | "activation" }
>;

/** Extents of a view on one rank; all but the first are the tensor's. */
export function shapeOn({ tensor, window }: View, rank: number): readonly number[] {
  const part = partOn(tensor, rank);
  if (part === undefined) throw new Error(`${tensor.name} is not on rank ${rank}`);
  return window === undefined ? part.shape : [window.rows, ...part.shape.slice(1)];
}

function sizes(tensor: Tensor, rank: number): readonly number[] {
  return shapeOn(whole(tensor), rank);
}

export function kernelCallOf(op: KernelOp, rank: number): EmittedKernel {
  switch (op.op) {
    case "matmul":
      return matmulCall(op, rank);
    case "grouped-matmul":
      return groupedMatmulCall(op, rank);
    case "norm":
      return normCall(op, rank);
    case "attention": {
      const [rows = 0] = sizes(op.y, rank);
      const { sequence, heads, kvHeads, headDim, causal } = op;
      const shape = { batch: rows / sequence, sequence, heads, kvHeads, headDim, causal };
      return { call: { kernel: "attention", shape }, operands: [op.qkv, op.y].map(whole) };
    }
    case "append-cache": {
      const call = { kernel: "append_cache", shape: cacheShapeOf(op, rank) } as const;
      return { call, operands: [op.qkv, op.spans, op.pages, op.k, op.v].map(whole) };
    }
    case "attend-cache": {
      const shape = { ...cacheShapeOf(op, rank), expectedKeys: op.expectedKeys };
      const operands = [op.qkv, op.spans, op.pages, op.k, op.v, op.partials].map(whole);
      return { call: { kernel: "attend_cache", shape }, operands };
    }
    case "combine-attention": {
      const shape = { ...cacheShapeOf(op, rank), expectedKeys: op.expectedKeys };
      const operands = [op.partials, op.spans, op.y].map(whole);
      return { call: { kernel: "combine_attention", shape }, operands };
    }
    case "add": {
      const [rows = 0, columns = 0] = shapeOn(op.y, rank);
      return { call: { kernel: "add", shape: { rows, columns } }, operands: [op.a, op.b, op.y] };
    }
    case "aggregate": {
      const [rows = 0] = sizes(op.x, rank);
      const [, columns = 0] = sizes(op.y, rank);
      const { group, scale } = op;
      const shape = { rows, columns, group, scale };
      return { call: { kernel: "aggregate", shape }, operands: [op.x, op.y].map(whole) };
    }
    case "embedding": {
      const [tokens = 0, hidden = 0] = sizes(op.y, rank);
      const table = partOn(op.table, rank);
      const vocabularyStart = table?.content?.kind === "uniform" ? table.content.offset[0] : 0;
      const shape = {
        tokens,
        hidden,
        vocabularyStart: vocabularyStart ?? 0,
        vocabularyRows: table?.shape[0] ?? 0,
      };
      return {
        call: { kernel: "embedding", shape },
        operands: [op.ids, op.table, op.y].map(whole),
      };
    }
    case "slice-columns": {
      const [, inputColumns = 0] = sizes(op.x, rank);
      const [rows = 0, columns = 0] = sizes(op.y, rank);
      const shape = { rows, inputColumns, offset: op.ranks.indexOf(rank) * columns, columns };
      return { call: { kernel: "slice_columns", shape }, operands: [op.x, op.y].map(whole) };
    }
    case "gather-columns": {
      const [rows = 0, columns = 0] = shapeOn(op.y, rank);
      const shape = { rows, pieces: op.pieces, pieceColumns: columns / op.pieces };
      return { call: { kernel: "gather_columns", shape }, operands: [whole(op.x), op.y] };
    }
    case "route":
    case "route-positions":
    case "permute":
    case "unpermute":
      return routingCall(op, rank);
  }
}

function cacheShapeOf(
  op: AppendCacheOp | AttendCacheOp | CombineAttentionOp,
  rank: number,
): CacheShape {
  const { queries, pageTokens, heads, kvHeads, headDim, k } = op;
  const [batch = 0, pages = 0] = sizes(op.pages, rank);
  const cacheDtype = k.dtype === "f16" ? "f16" : "f32";
  return { batch, queries, pageTokens, pages, heads, kvHeads, headDim, cacheDtype };
}

function finishOf({ activation, gate }: MatmulOp | GroupedMatmulOp) {
  return {
    activation,
    ...(gate === undefined ? {} : { gate: true as const }),
  };
}

function present(...views: readonly (View | undefined)[]): View[] {
  return views.flatMap((view) => view ?? []);
}

function matmulCall(op: MatmulOp, rank: number): EmittedKernel {
  const { x, w, y, gate, residual, isTransposed = false } = op;
  const [m = 0, n = 0] = shapeOn(y, rank);
  const [rows = 0, columns = 0] = sizes(w, rank);
  const shape = {
    m,
    n,
    k: isTransposed ? columns : rows,
    ...(isTransposed ? { transposed: "w" as const } : {}),
    ...finishOf(op),
    ...(residual === undefined ? {} : { residual: true as const }),
  };
  return {
    call: { kernel: "matmul", shape },
    operands: [x, whole(w), ...present(gate, residual), y],
  };
}

function groupedMatmulCall(op: GroupedMatmulOp, rank: number): EmittedKernel {
  const { x, w, offsets, gate, y, choices } = op;
  const [rows = 0, n = 0] = shapeOn(y, rank);
  const [experts = 0, k = 0] = sizes(w, rank);
  const expectedRows = Math.min(rows, Math.round((choices * experts) / op.experts));
  const shape = { experts, rows, expectedRows, n, k, ...finishOf(op) };
  return {
    call: { kernel: "grouped_matmul", shape },
    operands: [x, whole(w), whole(offsets), ...present(gate), y],
  };
}

function normCall(op: NormOp, rank: number): EmittedKernel {
  const { x, gain, bias, y, sumOf, epsilon } = op;
  const [rows = 0, columns = 0] = shapeOn(y, rank);
  const shape = { rows, columns, epsilon };
  const weights = [whole(gain), ...(bias === undefined ? [] : [whole(bias)])];
  const isRms = op.norm === "rms";
  if (sumOf === undefined) {
    const kernel = isRms ? "rms_norm" : "layer_norm";
    return { call: { kernel, shape }, operands: [x, ...weights, y] };
  }
  const kernel = isRms ? "add_rms_norm" : "add_layer_norm";
  return { call: { kernel, shape }, operands: [...sumOf, ...weights, x, y] };
}

type RoutingOp = Extract<
  Op,
  { readonly op: "route" | "route-positions" | "permute" | "unpermute" }
>;

function routingCall(op: RoutingOp, rank: number): EmittedKernel {
  const { ids, weights, positions, counts, offsets, experts, topK } = op;
  const [choices = 0] = sizes(ids, rank);
  const common = { tokens: choices / topK, experts, topK };
  switch (op.op) {
    case "route": {
      const shape = { ...common, renormalise: op.renormalise };
      const operands = [op.logits, ids, weights].map(whole);
      return { call: { kernel: "route_top_k", shape }, operands };
    }
    case "route-positions":
      return {
        call: { kernel: "route_positions", shape: common },
        operands: [ids, positions, counts, offsets].map(whole),
      };
    case "permute": {
      const [, hidden = 0] = sizes(op.y, rank);
      return {
        call: { kernel: "permute_tokens", shape: { ...common, hidden } },
        operands: [op.x, ids, positions, offsets, op.y].map(whole),
      };
    }
    case "unpermute": {
      const [, hidden = 0] = shapeOn(op.y, rank);
      const read = [op.x, ids, positions, offsets, op.kept, weights].map(whole);
      return {
        call: { kernel: "combine_tokens", shape: { ...common, hidden } },
        operands: [...read, op.y],
      };
    }
  }
}
