// The kernels of the backward pass of attention, and of what happened to queries and keys before it.

import type {
  AttentionGradientOps,
  HeadGainGradientOp,
  HeadNormGradientOp,
  LatentGradientOp,
  MeanProductsOp,
  RotaryGradientOp,
} from "../attention_gradient_op.ts";
import { type Tensor, whole } from "../tensor.ts";
import { attentionOn } from "./attention_call.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { sizes } from "./sizes.ts";

export function attentionGradientCall(op: AttentionGradientOps, rank: number): EmittedKernel {
  switch (op.op) {
    case "attention-statistics": {
      const operands = present(op.qkv, op.sinks, op.attended, op.dy, op.y).map(whole);
      return { call: { kernel: "attention_statistics", shape: attentionOn(op, rank) }, operands };
    }
    case "attention-gradient": {
      const { qkv, values, dy, statistics, dx, dv } = op;
      const operands = present(qkv, values?.v, dy, statistics, dv, dx).map(whole);
      return { call: { kernel: "attention_gradient", shape: attentionOn(op, rank) }, operands };
    }
    case "rotary-gradient":
      return rotaryGradientCall(op, rank);
    case "sink-gradient": {
      const { statistics, sinks, y, heads } = op;
      const rows = (sizes(statistics, rank)[0] ?? 0) / (2 * heads);
      const operands = [statistics, sinks, y].map(whole);
      return { call: { kernel: "sink_gradient", shape: { rows, heads } }, operands };
    }
    case "mean-products":
      return meanProductsCall(op, rank);
    case "head-norm-gradient": {
      const { x, dy, norm, products, dx, statistics } = op;
      const operands = present(x, dy, norm.gains, norm.squares, products, dx, statistics);
      const shape = normedHeadsOn(op, rank);
      return { call: { kernel: "head_norm_gradient", shape }, operands: operands.map(whole) };
    }
    case "head-gain-gradient": {
      const shape = { ...normedHeadsOn(op, rank), accumulate: true } as const;
      const operands = [op.x, op.dy, op.statistics, op.y].map(whole);
      return { call: { kernel: "head_gain_gradient", shape }, operands };
    }
    case "latent-gradient":
      return latentGradientCall(op, rank);
  }
}

function present(...tensors: readonly (Tensor | undefined)[]): Tensor[] {
  return tensors.flatMap((tensor) => tensor ?? []);
}

function normedHeadsOn(op: HeadNormGradientOp | HeadGainGradientOp, rank: number) {
  const { x, heads, kvHeads, headDim, norm } = op;
  const [rows = 0, columns = 0] = sizes(x, rank);
  const { kind, epsilon } = norm;
  return { rows, heads, kvHeads, headDim, columns, norm: { kind, epsilon } };
}

function meanProductsCall(op: MeanProductsOp, rank: number): EmittedKernel {
  const { x, dy, norm, y, heads, kvHeads, headDim, ranks } = op;
  const [rows = 0, columns = 0] = sizes(x, rank);
  const shape = {
    rows,
    columns,
    queryColumns: heads * headDim,
    keyColumns: kvHeads * headDim,
    ranks: ranks.length,
    gradient: true,
  } as const;
  return {
    call: { kernel: "mean_squares", shape },
    operands: present(x, dy, norm.gains, y).map(whole),
  };
}

function latentGradientCall(op: LatentGradientOp, rank: number): EmittedKernel {
  const { heads, headDim, plainDim, valueDim, rank: columns, dheads, dq, dkv, ddown } = op;
  const [rows = 0] = sizes(dheads, rank);
  return {
    call: {
      kernel: "latent_gradient",
      shape: { rows, heads, headDim, plainDim, valueDim, rank: columns },
    },
    operands: [dheads, dq, dkv, ddown].map(whole),
  };
}

function rotaryGradientCall(op: RotaryGradientOp, rank: number): EmittedKernel {
  const { dy, dv, dx, sequence, slices, heads, kvHeads, headDim, turn, temperature } = op;
  const [rows = 0, columns = 0] = sizes(dy, rank);
  const [, valueColumns = 0] = sizes(dv, rank);
  const shape = {
    rows,
    sequence,
    ...(slices === undefined ? {} : { slices }),
    heads,
    kvHeads,
    headDim,
    columns,
    ...(turn === undefined
      ? {}
      : { turn: { first: turn.first, dims: turn.dims, interleaved: turn.interleaved } }),
    ...(temperature === undefined ? {} : { temperature }),
    back: { valueDim: valueColumns / kvHeads },
  };
  const tables = turn === undefined ? [] : [turn.rotations];
  return { call: { kernel: "rotary", shape }, operands: [dy, ...tables, dv, dx].map(whole) };
}
