// The kernels of a training step behind its forward pass: sizes are those of what a rank holds.

import type {
  ActivationGradientOp,
  GainGradientOp,
  GradientOp,
  NormGradientOp,
  WeightGradientOp,
} from "../gradient_op.ts";
import { type View, whole } from "../tensor.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";
import { shapeOn, sizes } from "./sizes.ts";

export function gradientCall(op: GradientOp, rank: number): EmittedKernel {
  switch (op.op) {
    case "weight-gradient":
      return weightGradientCall(op, rank);
    case "bias-gradient": {
      const [rows = 0, columns = 0] = shapeOn(op.dy, rank);
      const shape = { rows, columns, accumulate: true } as const;
      return { call: { kernel: "column_sums", shape }, operands: [op.dy, whole(op.y)] };
    }
    case "activation-gradient":
      return activationGradientCall(op, rank);
    case "norm-gradient":
      return normGradientCall(op, rank);
    case "gain-gradient":
      return gainGradientCall(op, rank);
    default:
      throw new Error(`${op.origin.layer}: no kernel for ${op.op}`);
  }
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
  };
  return {
    call: { kernel: "activation_gradient", shape },
    operands: [dy, x, ...present(gate, dgate), dx],
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
