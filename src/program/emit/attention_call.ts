// The kernels of attention and of what stands before it: sizes are those of what a rank holds.

import type { Alibi, AttentionShape } from "../../kernels/attention_shape.ts";
import type { LatentHeads } from "../../kernels/rotary.ts";
import type {
  AttentionOp,
  AttentionScoresOp,
  AttentionValuesOp,
  HeadMatmulOp,
  MeanSquaresOp,
  RotaryOp,
  SoftmaxOp,
} from "../attention_op.ts";
import { type Tensor, whole } from "../tensor.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { sizes } from "./sizes.ts";

export function attentionCall(
  op:
    | AttentionOp
    | AttentionScoresOp
    | SoftmaxOp
    | AttentionValuesOp
    | RotaryOp
    | MeanSquaresOp
    | HeadMatmulOp,
  rank: number,
): EmittedKernel {
  switch (op.op) {
    case "attention":
      return attendCall(op, rank);
    case "attention-scores":
      return {
        call: { kernel: "attention_scores", shape: attentionOn(op, rank) },
        operands: [op.qkv, op.y].map(whole),
      };
    case "softmax": {
      const [rows = 0, columns = 0] = sizes(op.x, rank);
      return {
        call: { kernel: "softmax", shape: { rows, columns } },
        operands: [op.x, op.y].map(whole),
        dtype: "f32",
      };
    }
    case "attention-values":
      return {
        call: { kernel: "attention_values", shape: attentionOn(op, rank) },
        operands: [op.weights, op.values?.v ?? op.qkv, op.y].map(whole),
      };
    case "rotary":
      return rotaryCall(op, rank);
    case "mean-squares": {
      const { x, y, queryColumns, keyColumns, ranks } = op;
      const [rows = 0, columns = 0] = sizes(x, rank);
      const shape = { rows, columns, queryColumns, keyColumns, ranks: ranks.length };
      return { call: { kernel: "mean_squares", shape }, operands: [x, y].map(whole) };
    }
    case "head-matmul":
      return headMatmulCall(op, rank);
  }
}

function present(...tensors: readonly (Tensor | undefined)[]): Tensor[] {
  return tensors.flatMap((tensor) => tensor ?? []);
}

function attendCall(op: AttentionOp, rank: number): EmittedKernel {
  const { qkv, y, values, sinks } = op;
  return {
    call: { kernel: "attention", shape: attentionOn(op, rank) },
    operands: present(qkv, values?.v, sinks, y).map(whole),
  };
}

/** Of a forward or a backward pass. */
export function attentionOn(op: Omit<AttentionOp, "op" | "y">, rank: number): AttentionShape {
  const { qkv, values, sinks, sequence, heads, kvHeads, headDim, rules } = op;
  const [rows = 0] = sizes(qkv, rank);
  return {
    batch: rows / sequence,
    sequence,
    heads,
    kvHeads,
    headDim,
    ...rules,
    ...(values === undefined ? {} : { values: valuesOn(values, rank) }),
    ...(sinks === undefined ? {} : { sinks: true as const }),
    ...(op.alibiHeads === undefined ? {} : { alibi: alibiOn(op, op.alibiHeads, rank) }),
  };
}

function valuesOn({ v, dim, first, step }: NonNullable<AttentionOp["values"]>, rank: number) {
  return {
    dim,
    first,
    step,
    columns: sizes(v, rank)[1] ?? 0,
  };
}

export function alibiOn(
  { ranks, heads }: Pick<AttentionOp, "ranks" | "heads">,
  all: number,
  rank: number,
): Alibi {
  return {
    heads: all,
    first: ranks.indexOf(rank) * heads,
  };
}

function headMatmulCall(op: HeadMatmulOp, rank: number): EmittedKernel {
  const { x, w, y, heads, k, n, kept, first, step, isTransposed } = op;
  const [rows = 0] = sizes(x, rank);
  const [, columns = 0] = sizes(w, rank);
  const shape = {
    rows,
    heads,
    k,
    n,
    kept,
    w: { columns, first, step },
    ...(isTransposed ? { transposed: "w" as const } : {}),
  };
  return { call: { kernel: "head_matmul", shape }, operands: [x, w, y].map(whole) };
}

function latentSizes({ plainDim, valueDim, rank }: LatentHeads): LatentHeads {
  return {
    plainDim,
    valueDim,
    rank,
  };
}

function rotaryCall(op: RotaryOp, rank: number): EmittedKernel {
  const {
    x,
    y,
    latent,
    sequence,
    queries,
    slices,
    heads,
    kvHeads,
    headDim,
    turn,
    norm,
    temperature,
  } = op;
  const [rows = 0, columns = 0] = sizes(x, rank);
  const shape = {
    rows,
    sequence,
    ...(queries === undefined ? {} : { queries }),
    ...(slices === undefined ? {} : { slices }),
    heads,
    kvHeads,
    headDim,
    columns,
    ...(latent === undefined ? {} : { latent: latentSizes(latent) }),
    ...(turn === undefined
      ? {}
      : { turn: { first: turn.first, dims: turn.dims, interleaved: turn.interleaved } }),
    ...(temperature === undefined ? {} : { temperature }),
    ...(norm === undefined ? {} : { norm: { kind: norm.kind, epsilon: norm.epsilon } }),
  };
  return {
    call: { kernel: "rotary", shape },
    operands: present(
      x,
      turn?.rotations,
      norm?.gains,
      norm?.squares,
      latent?.kv,
      latent?.down,
      op.spans,
      y,
    ).map(whole),
  };
}
