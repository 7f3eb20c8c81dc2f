// Activations and kernels of the backward pass in f64 on the host, by the rules of the reference.

import type { KernelCall } from "../../src/kernels/catalog.ts";
import { activationFunctions, gateFactor } from "../../src/reference/activations.ts";
import { activationGradients } from "../../src/reference/backward/gated_activation.ts";
import { normGradients, normStatistics } from "../../src/reference/backward/norm_rows.ts";
import { runAttentionGradient, runAttentionStatistics } from "./interpret_attention_backward.ts";
import { runExpertGradient } from "./interpret_expert_gradients.ts";
import { biasGradient } from "../../src/reference/backward/product.ts";
import { mapValues, matrix, rowOf } from "../../src/reference/tensor.ts";
import { buffersOf } from "./named_buffers.ts";

const names = [
  "activate",
  "activation_gradient",
  "attention_gradient",
  "attention_statistics",
  "column_sums",
  "combine_weight_gradient",
  "grouped_weight_gradient",
  "norm_input_gradient",
  "norm_weight_gradient",
  "route_gradient",
] as const;

export type BackwardCall = Extract<KernelCall, { kernel: (typeof names)[number] }>;

export function isBackwardCall(call: KernelCall): call is BackwardCall {
  return names.some((name) => name === call.kernel);
}

/** Buffers in the order of the kernel's bindings. */
export function runBackward(call: BackwardCall, given: readonly Float64Array[]): void {
  const buffers = buffersOf(call, given);
  switch (call.kernel) {
    case "attention_statistics":
      runAttentionStatistics(call.shape, buffers);
      return;
    case "attention_gradient":
      runAttentionGradient(call.shape, buffers);
      return;
    case "grouped_weight_gradient":
    case "combine_weight_gradient":
    case "route_gradient":
      runExpertGradient(call, buffers);
      return;
    case "column_sums": {
      const { rows, columns, accumulate = false, grouped } = call.shape;
      const x = buffers.table("x", rows, columns);
      if (grouped === undefined) {
        buffers.vector("y", biasGradient(x), accumulate);
        return;
      }
      const y = buffers.table("y", grouped.experts, columns);
      for (let expert = 0; expert < grouped.experts; expert++) {
        const [begin = 0, end = 0] = buffers.at("offsets").subarray(expert, expert + 2);
        const own = x.data.subarray(begin * columns, end * columns);
        const sums = biasGradient(matrix(end - begin, columns, own));
        rowOf(y, expert).set(rowOf(y, expert).map((held, c) => held + sums[c]!));
      }
      buffers.write("y", y);
      return;
    }
    case "activate": {
      const { rows, columns, activation, cap, gate } = call.shape;
      const activated = activationFunctions(activation, cap);
      const gates = gate === true ? buffers.table("gate", rows, columns).data : undefined;
      const y = mapValues(buffers.table("x", rows, columns), activated);
      for (const [i, value] of gates?.entries() ?? []) y.data[i]! *= gateFactor(activation, value);
      buffers.write("y", y);
      return;
    }
    case "activation_gradient": {
      const { rows, columns, gate } = call.shape;
      const of = (name: string): Float64Array => buffers.table(name, rows, columns).data;
      const { du, dgate } = activationGradients(
        call.shape,
        of("dh"),
        of("u"),
        gate === true ? of("gate") : undefined,
      );
      buffers.write("du", matrix(rows, columns, du));
      if (dgate !== undefined) buffers.write("dgate", matrix(rows, columns, dgate));
      return;
    }
    case "norm_input_gradient": {
      const { rows, columns, epsilon, centered = false, residual } = call.shape;
      const x = buffers.table("x", rows, columns);
      const dy = buffers.table("dy", rows, columns);
      const gain = buffers.at("gain").subarray(0, columns);
      const { dx } = normGradients(x, gain, dy, { epsilon, centered });
      if (residual === true) {
        const added = buffers.table("residual", rows, columns);
        for (const [i, value] of added.data.entries()) dx.data[i]! += value;
      }
      buffers.write("dx", dx);
      for (let row = 0; row < rows; row++) {
        const { mean, scale } = normStatistics(rowOf(x, row), { epsilon, centered });
        buffers.at("statistics").set([mean, scale, 0, 0], 4 * row);
      }
      return;
    }
    case "norm_weight_gradient": {
      const { rows, columns, bias, accumulate = false } = call.shape;
      const x = buffers.table("x", rows, columns);
      const dy = buffers.table("dy", rows, columns);
      const normed = matrix(rows, columns, x.data.slice());
      for (let row = 0; row < rows; row++) {
        const [mean = 0, scale = 0] = buffers.at("statistics").subarray(4 * row);
        const own = rowOf(normed, row);
        own.set(own.map((value, c) => (value - mean) * scale * rowOf(dy, row)[c]!));
      }
      buffers.vector("dgain", biasGradient(normed), accumulate);
      if (bias === true) buffers.vector("dbias", biasGradient(dy), accumulate);
    }
  }
}
