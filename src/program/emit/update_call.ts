// The kernels of an optimizer's update.

import type { BeginUpdateOp, ClearOp, SumSquaresOp, UpdateWeightOp } from "../gradient_op.ts";
import { elementsOn, whole } from "../tensor.ts";
import type { EmittedKernel } from "./emitted_kernel.ts";

export function updateCall(
  op: ClearOp | SumSquaresOp | BeginUpdateOp | UpdateWeightOp,
  rank: number,
): EmittedKernel {
  switch (op.op) {
    case "clear": {
      const shape = { elements: elementsOn(op.y, rank) };
      return { call: { kernel: "clear", shape }, operands: [whole(op.y)] };
    }
    case "sum-squares": {
      const shape = { elements: elementsOn(op.x, rank) };
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
  };
}
