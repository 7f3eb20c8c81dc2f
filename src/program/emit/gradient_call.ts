// The kernels of a training step behind its forward pass: sizes are those of what a rank holds.

import type {
  ActivationGradientOp,
  GainGradientOp,
  GradientOp,
  LossStatisticsOp,
  NormGradientOp,
  RotaryGradientOp,
  WeightGradientOp,
} from "../gradient_op.ts";
import { type View, whole } from "../tensor.ts";
import { attentionOn } from "./attention_call.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { expertGradientCall } from "./expert_gradient_call.ts";
import { groupedOn, shapeOn, sizes, tableRows } from "./sizes.ts";
import { updateCall } from "./update_call.ts";

export function gradientCall(op: GradientOp, rank: number): EmittedKernel {
  switch (op.op) {
    case "weight-gradient":
      return weightGradientCall(op, rank);
    case "bias-gradient": {
      const [rows = 0, columns = 0] = shapeOn(op.dy, rank);
      const shape = { rows, columns, accumulate: true, ...groupedOn(op, rank) } as const;
      const offsets = present(op.offsets && whole(op.offsets));
      return { call: { kernel: "column_sums", shape }, operands: [op.dy, ...offsets, whole(op.y)] };
    }
    case "activation-gradient":
      return activationGradientCall(op, rank);
    case "norm-gradient":
      return normGradientCall(op, rank);
    case "gain-gradient":
      return gainGradientCall(op, rank);
    case "loss-statistics": {
      const { logits, labels, y } = op;
      const operands = [logits, labels, y].map(whole);
      return { call: { kernel: "loss_statistics", shape: logitsOn(op, rank) }, operands };
    }
    case "cross-entropy": {
      const { blocks, statistics, losses } = op;
      const [rows = 0] = sizes(losses, rank);
      const operands = [statistics, losses].map(whole);
      return { call: { kernel: "cross_entropy", shape: { rows, blocks } }, operands };
    }
    case "cross-entropy-gradient": {
      const { logits, labels, statistics, blocks, scale, dx } = op;
      const shape = { ...logitsOn(op, rank), blocks, scale };
      const operands = [...[logits, labels, statistics].map(whole), dx];
      return { call: { kernel: "cross_entropy_gradient", shape }, operands };
    }
    case "squared-error": {
      const [rows = 0, columns = 0] = sizes(op.x, rank);
      const operands = [op.x, op.targets, op.losses].map(whole);
      return { call: { kernel: "squared_error", shape: { rows, columns } }, operands };
    }
    case "squared-error-gradient": {
      const [rows = 0, columns = 0] = sizes(op.x, rank);
      const shape = { rows, columns, scale: op.scale };
      const operands = [whole(op.x), whole(op.targets), op.dx];
      return { call: { kernel: "squared_error_gradient", shape }, operands };
    }
    case "embedding-gradient": {
      const [tokens = 0, hidden = 0] = shapeOn(op.dy, rank);
      const { scale } = op;
      const shape = {
        tokens,
        hidden,
        ...tableRows(op.table, rank),
        ...(scale === undefined ? {} : { scale }),
      };
      const operands = [whole(op.ids), op.dy, whole(op.y)];
      return { call: { kernel: "embedding_gradient", shape }, operands };
    }
    case "attention-statistics": {
      const { qkv, sinks, attended, dy, y } = op;
      const operands = [qkv, ...(sinks === undefined ? [] : [sinks]), attended, dy, y].map(whole);
      return { call: { kernel: "attention_statistics", shape: attentionOn(op, rank) }, operands };
    }
    case "attention-gradient": {
      const { qkv, values, dy, statistics, dx, dv } = op;
      const read = [qkv, ...(values === undefined ? [] : [values.v]), dy, statistics];
      const operands = [...read, ...(dv === undefined ? [] : [dv]), dx].map(whole);
      return { call: { kernel: "attention_gradient", shape: attentionOn(op, rank) }, operands };
    }
    case "rotary-gradient":
      return rotaryGradientCall(op, rank);
    case "grouped-weight-gradient":
    case "choice-weight-gradient":
    case "route-gradient":
      return expertGradientCall(op, rank);
    case "clear":
    case "sum-squares":
    case "begin-update":
    case "update-weight":
      return updateCall(op, rank);
  }
}

/** Classes that the rank's columns are. */
function logitsOn(
  {
    logits,
    ranks,
    isSplit,
    ownColumns,
  }: Pick<LossStatisticsOp, "logits" | "ranks" | "isSplit" | "ownColumns">,
  rank: number,
) {
  const [rows = 0, columns = 0] = sizes(logits, rank);
  return { rows, columns, firstColumn: isSplit ? ranks.indexOf(rank) * ownColumns : 0 };
}

function present(...views: readonly (View | undefined)[]): View[] {
  return views.flatMap((view) => view ?? []);
}

function weightGradientCall({ a, b, scale, y }: WeightGradientOp, rank: number): EmittedKernel {
  const [k = 0, m = 0] = shapeOn(a, rank);
  const [, n = 0] = shapeOn(b, rank);
  const shape = {
    m,
    n,
    k,
    transposed: "x",
    activation: "none",
    ...(scale === undefined ? {} : { scale }),
    result: "f32-sum",
  } as const;
  return { call: { kernel: "matmul", shape }, operands: [a, b, whole(y)] };
}

function activationGradientCall(op: ActivationGradientOp, rank: number): EmittedKernel {
  const { activation, cap, x, gate, dy, dx, dgate } = op;
  const [rows = 0, columns = 0] = shapeOn(dx, rank);
  const shape = {
    rows,
    columns,
    activation,
    ...(cap === undefined ? {} : { cap }),
    ...(gate === undefined ? {} : { gate: true as const }),
    ...groupedOn(op, rank),
  };
  const offsets = op.offsets && whole(op.offsets);
  return {
    call: { kernel: "activation_gradient", shape },
    operands: [dy, x, ...present(gate, dgate, offsets), dx],
  };
}

function normGradientCall(op: NormGradientOp, rank: number): EmittedKernel {
  const { norm, epsilon, x, gain, dy, residual, dx, statistics } = op;
  const [rows = 0, columns = 0] = shapeOn(dx, rank);
  const shape = {
    rows,
    columns,
    epsilon,
    ...(norm === "layer" ? { centered: true as const } : {}),
    ...(residual === undefined ? {} : { residual: true as const }),
  };
  return {
    call: { kernel: "norm_input_gradient", shape },
    operands: [x, whole(gain), dy, ...present(residual), dx, whole(statistics)],
  };
}

function gainGradientCall(op: GainGradientOp, rank: number): EmittedKernel {
  const { x, dy, statistics, gain, bias } = op;
  const [rows = 0] = shapeOn(dy, rank);
  const [columns = 0] = sizes(gain, rank);
  const shape = {
    rows,
    columns,
    accumulate: true,
    ...(bias === undefined ? {} : { bias: true as const }),
  } as const;
  return {
    call: { kernel: "norm_weight_gradient", shape },
    operands: [x, dy, whole(statistics), ...present(bias && whole(bias)), whole(gain)],
  };
}

function rotaryGradientCall(op: RotaryGradientOp, rank: number): EmittedKernel {
  const { dy, dv, dx, sequence, heads, kvHeads, headDim, turn, temperature } = op;
  const [rows = 0, columns = 0] = sizes(dy, rank);
  const [, valueColumns = 0] = sizes(dv, rank);
  const shape = {
    rows,
    sequence,
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
  return {
    call: { kernel: "rotary", shape },
    operands: [dy, ...tables, dv, dx].map(whole),
  };
}
