// The kernel that an op runs on a rank: its sizes are those of what the rank holds of the op's tensors.

import type { EmbeddingOp, GatherRowsOp, PositionOperands } from "../embedding_op.ts";
import { addsToItself, type NormOp } from "../row_op.ts";
import type { GroupedMatmulOp } from "../expert_op.ts";
import type { MatmulOp, Op } from "../op.ts";
import { isRingOp } from "../ring_op.ts";
import type { TopLogitsOp } from "../top_logits_op.ts";
import type { Transfer } from "../transfer_op.ts";
import { attentionCall } from "./attention_call.ts";
import { cacheCall } from "./cache_call.ts";
import { deltaCall } from "./delta_call.ts";
import { expectedRowsOf } from "../expected_rows.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { gradientCall } from "./gradient_call.ts";
import { ringCall } from "./ring_call.ts";
import { groupedOn, shapeOn, sizes, tableRows } from "./sizes.ts";
import { type View, whole } from "../tensor.ts";
import type { Tile } from "../tile.ts";

export type KernelOp = Exclude<
  Op,
  Transfer | { readonly op: "input" | "copy" | "observe" | "done" }
>;

export function kernelCallOf(op: KernelOp, rank: number): EmittedKernel {
  if (isRingOp(op)) return ringCall(op, rank);
  switch (op.op) {
    case "matmul":
      return matmulCall(op, rank);
    case "grouped-matmul":
      return groupedMatmulCall(op, rank);
    case "norm":
      return normCall(op, rank);
    case "attention":
    case "attention-scores":
    case "softmax":
    case "attention-values":
    case "rotary":
    case "mean-squares":
    case "head-matmul":
      return attentionCall(op, rank);
    case "causal-conv":
    case "gated-delta":
      return deltaCall(op, rank);
    case "append-cache":
    case "attend-cache":
    case "combine-attention":
      return cacheCall(op, rank);
    case "add": {
      const [rows = 0, columns = 0] = shapeOn(op.y, rank);
      if (addsToItself(op)) {
        const shape = { rows, columns, group: 1, scale: 1 + (op.scale ?? 1) };
        return { call: { kernel: "aggregate", shape }, operands: [op.a, op.y] };
      }
      const shape = { rows, columns, ...scaleOf(op) };
      return { call: { kernel: "add", shape }, operands: [op.a, op.b, op.y] };
    }
    case "aggregate": {
      const [rows = 0] = sizes(op.x, rank);
      const [, columns = 0] = sizes(op.y, rank);
      const { group, scale } = op;
      const shape = { rows, columns, group, scale };
      return { call: { kernel: "aggregate", shape }, operands: [op.x, op.y].map(whole) };
    }
    case "embedding":
      return embeddingCall(op, rank);
    case "gather-rows":
      return gatherRowsCall(op, rank);
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
    case "top-logits":
      return topLogitsCall(op, rank);
    case "route":
    case "route-positions":
    case "permute":
    case "unpermute":
      return routingCall(op, rank);
    case "activation": {
      const [rows = 0, columns = 0] = shapeOn(op.y, rank);
      const { activation, cap, gate } = op;
      const shape = {
        rows,
        columns,
        activation,
        ...(cap === undefined ? {} : { cap }),
        ...(gate === undefined ? {} : { gate: true as const }),
        ...groupedOn(op, rank),
      };
      const read = [op.x, ...present(gate, op.offsets && whole(op.offsets))];
      return { call: { kernel: "activate", shape }, operands: [...read, op.y] };
    }
    default:
      return gradientCall(op, rank);
  }
}

function embeddingCall(op: EmbeddingOp, rank: number): EmittedKernel {
  const { ids, y, positions, spans } = op;
  const [tokens = 0, hidden = 0] = sizes(y, rank);
  const shape = {
    tokens,
    hidden,
    ...tableRows(op.table, rank),
    ...(op.tile === undefined ? {} : { tile: op.tile }),
    ...scaleOf(op),
    ...(positions === undefined ? {} : { positions: positionsOn(positions) }),
  };
  const operands = [ids, op.table, positions?.table, spans, y];
  return {
    call: { kernel: "embedding", shape },
    operands: operands.flatMap((tensor) => (tensor === undefined ? [] : [whole(tensor)])),
  };
}

/** A lookup in a table of activations. */
function gatherRowsCall({ x, ids, y }: GatherRowsOp, rank: number): EmittedKernel {
  const [tokens = 0, hidden = 0] = sizes(y, rank);
  const [vocabularyRows = 0] = sizes(x, rank);
  const shape = { tokens, hidden, vocabularyStart: 0, vocabularyRows };
  return { call: { kernel: "embedding", shape }, operands: [ids, x, y].map(whole) };
}

function positionsOn({ table: _, ...places }: PositionOperands) {
  return places;
}

/** The bias, where the rank adds it. */
function biasOn({ bias, tile }: MatmulOp | GroupedMatmulOp, rank: number): View | undefined {
  return bias?.parts.ranks.includes(rank) === true ? inTile(whole(bias), tile) : undefined;
}

/** Of columns. */
function inTile(view: View, tile: Tile | undefined): View {
  return tile === undefined ? view : { ...view, tile };
}

/** What finishes a product, with the result last; and from a row to the next of which tensor these are columns. */
function resultOf(op: MatmulOp | GroupedMatmulOp, bias: View | undefined, rank: number) {
  const { tile } = op;
  const own = (view: View | undefined) => view && inTile(view, tile);
  const rowGate = op.op === "matmul" ? op.rowGate : undefined;
  const [, columns = 0] = shapeOn(op.y, rank);
  return {
    y: inTile(op.y, tile),
    operands: [...present(bias, own(op.gate), rowGate, own(op.residual)), inTile(op.y, tile)],
    ...(tile === undefined ? {} : { pitch: { pitch: columns } }),
  };
}

function finishOf({ activation, gate }: MatmulOp | GroupedMatmulOp, bias: View | undefined) {
  return {
    activation,
    ...(bias === undefined ? {} : { bias: true as const }),
    ...(gate === undefined ? {} : { gate: true as const }),
  };
}

function present(...views: readonly (View | undefined)[]): View[] {
  return views.flatMap((view) => view ?? []);
}

function scaleOf({ scale }: { readonly scale?: number }) {
  return scale === undefined ? {} : { scale };
}

function matmulCall(op: MatmulOp, rank: number): EmittedKernel {
  const { x, w, rowGate, residual, isTransposed = false } = op;
  const bias = biasOn(op, rank);
  const { y, operands, pitch } = resultOf(op, bias, rank);
  const [m = 0, n = 0] = shapeOn(y, rank);
  const [rows = 0, columns = 0] = sizes(w, rank);
  const shape = {
    m,
    n,
    k: isTransposed ? columns : rows,
    ...(isTransposed ? { transposed: "w" as const } : {}),
    ...finishOf(op, bias),
    ...scaleOf(op),
    ...(op.cap === undefined ? {} : { cap: op.cap }),
    ...(rowGate === undefined ? {} : { rowGate: true as const }),
    ...(residual === undefined ? {} : { residual: true as const }),
    ...pitch,
  };
  return { call: { kernel: "matmul", shape }, operands: [x, whole(w), ...operands] };
}

function groupedMatmulCall(op: GroupedMatmulOp, rank: number): EmittedKernel {
  const { x, w, offsets, residual, isTransposed = false } = op;
  const bias = biasOn(op, rank);
  const { y, operands, pitch } = resultOf(op, bias, rank);
  const [rows = 0, n = 0] = shapeOn(y, rank);
  const [experts = 0, wRows = 0, wColumns = 0] = sizes(w, rank);
  const shape = {
    experts,
    rows,
    expectedRows: expectedRowsOf(op, rows, experts),
    n,
    k: isTransposed ? wColumns : wRows,
    ...(isTransposed ? { transposed: "w" as const } : {}),
    ...finishOf(op, bias),
    ...(residual === undefined ? {} : { residual: true as const }),
    ...pitch,
  };
  return {
    call: { kernel: "grouped_matmul", shape },
    operands: [x, whole(w), whole(offsets), ...operands],
  };
}

function normCall(op: NormOp, rank: number): EmittedKernel {
  const { x, gain, bias, y, sumOf, epsilon } = op;
  const [rows = 0, columns = 0] = shapeOn(y, rank);
  const shape = {
    rows,
    columns,
    epsilon,
    ...(bias === undefined ? {} : { bias: true as const }),
    ...scaleOf(op),
  };
  const weights = [whole(gain), ...(bias === undefined ? [] : [whole(bias)])];
  const isRms = op.norm === "rms";
  if (sumOf === undefined) {
    const operands = [x, ...weights, y];
    if (!isRms) return { call: { kernel: "layer_norm", shape }, operands };
    const [, inputColumns = 0] = shapeOn(x, rank);
    const own = inputColumns === columns ? shape : { ...shape, inputColumns };
    return { call: { kernel: "rms_norm", shape: own }, operands };
  }
  const kernel = isRms ? "add_rms_norm" : "add_layer_norm";
  return { call: { kernel, shape }, operands: [...sumOf, ...weights, x, y] };
}

function topLogitsCall(
  { logits, y, vocabulary, isSplit, count, ranks }: TopLogitsOp,
  rank: number,
): EmittedKernel {
  const [rows = 0, columns = 0] = sizes(logits, rank);
  const firstId = isSplit ? ranks.indexOf(rank) * columns : 0;
  const considered = Math.max(0, Math.min(columns, vocabulary - firstId));
  const shape = { rows, columns, considered, firstId, count };
  return { call: { kernel: "top_logits", shape }, operands: [logits, y].map(whole) };
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
      const { logits, correction, rule } = op;
      const corrected = correction === undefined ? {} : { corrected: true as const };
      const read = correction === undefined ? [logits] : [logits, correction];
      return {
        call: { kernel: "route_top_k", shape: { ...common, ...rule, ...corrected } },
        operands: [...read, ids, weights].map(whole),
      };
    }
    case "route-positions":
      return {
        call: { kernel: "route_positions", shape: common },
        operands: [ids, positions, counts, offsets].map(whole),
      };
    case "permute": {
      const [, hidden = 0] = sizes(op.y, rank);
      const weighted = op.isWeighted ? { weighted: true as const } : {};
      const read = [op.x, ids, positions, offsets, ...(op.isWeighted ? [weights] : [])];
      return {
        call: { kernel: "permute_tokens", shape: { ...common, hidden, ...weighted } },
        operands: [...read, op.y].map(whole),
      };
    }
    case "unpermute": {
      const [, hidden = 0] = shapeOn(op.y, rank);
      const unweighted = op.isWeighted ? {} : { unweighted: true as const };
      const read = [op.x, ids, positions, offsets, op.kept, ...(op.isWeighted ? [weights] : [])];
      return {
        call: { kernel: "combine_tokens", shape: { ...common, hidden, ...unweighted } },
        operands: [...read.map(whole), op.y],
      };
    }
  }
}
