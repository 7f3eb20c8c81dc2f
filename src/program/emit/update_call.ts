// The kernels of an optimizer's update.

import { rowPitch } from "../../kernels/storage.ts";
import type {
  BeginUpdateOp,
  ClearOp,
  PutColumnsOp,
  SumSquaresOp,
  TakeColumnsOp,
  UpdateWeightOp,
} from "../gradient_op.ts";
import { elementsOn, partOn, type Tensor, volumeOf, whole } from "../tensor.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";

export function updateCall(
  op: ClearOp | TakeColumnsOp | PutColumnsOp | SumSquaresOp | BeginUpdateOp | UpdateWeightOp,
  rank: number,
): EmittedKernel {
  switch (op.op) {
    case "clear": {
      const shape = { elements: elementsOn(op.y, rank) };
      return { call: { kernel: "clear", shape }, operands: [whole(op.y)] };
    }
    case "take-columns": {
      const [{ rows, columns: inputColumns }, { columns }] = [
        tableOn(op.x, rank),
        tableOn(op.y, rank),
      ];
      const shape = { rows, inputColumns, offset: op.first, columns };
      const operands = [op.x, op.y].map(whole);
      return { call: { kernel: "slice_columns", shape }, operands, dtype: "f32" };
    }
    case "put-columns": {
      const [{ rows, columns }, { columns: outputColumns }] = [
        tableOn(op.x, rank),
        tableOn(op.y, rank),
      ];
      const shape = { rows, columns, outputColumns, offset: op.first };
      const operands = [op.x, op.y].map(whole);
      return { call: { kernel: "put_columns", shape }, operands };
    }
    case "sum-squares": {
      const { columns } = op;
      const counted =
        columns === undefined ? {} : { counted: { columns, pitch: tableOn(op.x, rank).pitch } };
      const shape = { elements: elementsOn(op.x, rank), ...counted };
      return { call: { kernel: "sum_squares", shape }, operands: [op.x, op.sum].map(whole) };
    }
    case "begin-update": {
      const { learningRate, beta1, beta2, clipNorm, warmupSteps, lossScale } = op.rules;
      const shape = {
        learningRate,
        beta1,
        beta2,
        ...(clipNorm === undefined ? {} : { clipNorm }),
        warmupSteps,
        lossScale,
      };
      return { call: { kernel: "begin_update", shape }, operands: [op.sum, op.state].map(whole) };
    }
    case "update-weight":
      return updateWeightCall(op, rank);
  }
}

/** A vector is one row. */
function tableOn(tensor: Tensor, rank: number) {
  const shape = partOn(tensor, rank)?.shape ?? [];
  const columns = shape.at(-1) ?? 0;
  const rows = volumeOf(shape.slice(0, -1));
  return { rows, columns, pitch: rowPitch(columns) };
}

function updateWeightCall(op: UpdateWeightOp, rank: number): EmittedKernel {
  const { rules, state, gradient, weight, master, first, second } = op;
  const { name, beta1, beta2, epsilon, weightDecay, momentum } = rules;
  const shape = {
    elements: elementsOn(weight, rank),
    optimizer: name,
    beta1,
    beta2,
    epsilon,
    weightDecay: op.decays ? weightDecay : 0,
    momentum,
    ...(master === undefined ? {} : { master: true as const }),
  };
  const kept = [master, first, second].flatMap((tensor) => tensor ?? []);
  return {
    call: { kernel: "update_weight", shape },
    operands: [state, gradient, weight, ...kept].map(whole),
    ...(weight.dtype === "f32" ? { dtype: "f32" } : {}),
  };
}
