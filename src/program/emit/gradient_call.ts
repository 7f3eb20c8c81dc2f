// The kernels of a training step behind its forward pass: sizes are those of what a rank holds.

import type {
  ActivationGradientOp,
  GainGradientOp,
  GradientOp,
  LossStatisticsOp,
  NormGradientOp,
  PositionGradientOp,
  RowGateGradientOp,
  SpreadRowsOp,
  WeightGradientOp,
} from "../gradient_op.ts";
import { type View, whole } from "../tensor.ts";
import { attentionGradientCall } from "./attention_gradient_call.ts";
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
      const operands = [op.logits, op.labels, op.y].map(whole);
      return { call: { kernel: "loss_statistics", shape: logitsOn(op, rank) }, operands };
    }
    case "cross-entropy": {
      const [rows = 0] = sizes(op.losses, rank);
      const operands = [op.statistics, op.losses].map(whole);
      return { call: { kernel: "cross_entropy", shape: { rows, blocks: op.blocks } }, operands };
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
    case "attention-statistics":
    case "attention-gradient":
    case "rotary-gradient":
    case "sink-gradient":
    case "mean-products":
    case "head-norm-gradient":
    case "head-gain-gradient":
    case "latent-gradient":
      return attentionGradientCall(op, rank);
    case "row-gate-gradient":
    case "spread-rows":
    case "position-gradient":
      return rowsGradientCall(op, rank);
    case "grouped-weight-gradient":
    case "choice-weight-gradient":
    case "route-gradient":
      return expertGradientCall(op, rank);
    case "clear":
    case "take-columns":
    case "put-columns":
    case "sum-squares":
    case "begin-update":
    case "update-weight":
      return updateCall(op, rank);
  }
}

function rowsGradientCall(
  op: RowGateGradientOp | SpreadRowsOp | PositionGradientOp,
  rank: number,
): EmittedKernel {
  switch (op.op) {
    case "row-gate-gradient": {
      const [rows = 0, columns = 0] = sizes(op.dproduct, rank);
      const operands = [op.gated, op.gate, op.dy, op.dproduct, op.dgate].map(whole);
      return { call: { kernel: "row_gate_gradient", shape: { rows, columns } }, operands };
    }
    case "spread-rows": {
      const [rows = 0, columns = 0] = sizes(op.dx, rank);
      const shape = { rows, columns, group: op.group, scale: op.scale };
      return { call: { kernel: "spread_rows", shape }, operands: [op.dy, op.dx].map(whole) };
    }
    case "position-gradient": {
      const [rows = 0, hidden = 0] = sizes(op.dy, rank);
      const { sequence, first, slices } = op;
      const own = slices === undefined ? {} : { slices };
      const batch = rows / (slices?.rows ?? sequence);
      const shape = { batch, sequence, hidden, first, ...own };
      return { call: { kernel: "position_gradient", shape }, operands: [op.dy, op.y].map(whole) };
    }
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

/** Where a norm takes the first columns of what it reads alone. */
function inputColumnsOf(x: View, columns: number, rank: number) {
  const [, inputColumns = columns] = shapeOn(x, rank);
  return inputColumns === columns ? {} : { inputColumns };
}

function normGradientCall(op: NormGradientOp, rank: number): EmittedKernel {
  const { norm, epsilon, x, gain, dy, residual, dx, statistics } = op;
  const [rows = 0, columns = 0] = shapeOn(dy, rank);
  const shape = {
    rows,
    columns,
    epsilon,
    ...inputColumnsOf(x, columns, rank),
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
    ...inputColumnsOf(x, columns, rank),
    ...(bias === undefined ? {} : { bias: true as const }),
  } as const;
  return {
    call: { kernel: "norm_weight_gradient", shape },
    operands: [x, dy, whole(statistics), ...present(bias && whole(bias)), whole(gain)],
  };
}
