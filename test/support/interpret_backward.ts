// Activations and kernels of the backward pass in f64 on the host, by the rules of the reference.

import type { KernelCall } from "../../src/kernels/catalog.ts";
import { rowsOfSequence } from "../../src/kernels/position_gradient.ts";
import { positionOf } from "../../src/kernels/positions.ts";
import { activationFunctions, gateFactor, sigmoid } from "../../src/reference/activations.ts";
import { activationGradients } from "../../src/reference/backward/gated_activation.ts";
import { normGradients, normStatistics } from "../../src/reference/backward/norm_rows.ts";
import { runAttentionGradient, runAttentionStatistics } from "./interpret_attention_backward.ts";
import { runExpertGradient } from "./interpret_expert_gradients.ts";
import { biasGradient } from "../../src/reference/backward/product.ts";
import { addTo, dot, mapValues, matrix, rowOf } from "../../src/reference/tensor.ts";
import { isHeadGradient, runHeadGradient } from "./interpret_head_gradients.ts";
import { buffersOf } from "./named_buffers.ts";

const names = [
  "activate",
  "activation_gradient",
  "attention_gradient",
  "attention_statistics",
  "column_sums",
  "combine_weight_gradient",
  "grouped_weight_gradient",
  "head_gain_gradient",
  "head_norm_gradient",
  "latent_gradient",
  "norm_input_gradient",
  "norm_weight_gradient",
  "position_gradient",
  "route_gradient",
  "row_gate_gradient",
  "sink_gradient",
  "spread_rows",
] as const;

export type BackwardCall = Extract<KernelCall, { kernel: (typeof names)[number] }>;

export function isBackwardCall(call: KernelCall): call is BackwardCall {
  return names.some((name) => name === call.kernel);
}

/** Buffers in the order of the kernel's bindings. */
export function runBackward(call: BackwardCall, given: readonly Float64Array[]): void {
  const buffers = buffersOf(call, given);
  if (isHeadGradient(call)) {
    runHeadGradient(call, buffers);
    return;
  }
  switch (call.kernel) {
    case "position_gradient": {
      const { batch, sequence, hidden, first } = call.shape;
      const dy = buffers.table("dy", batch * rowsOfSequence(call.shape), hidden);
      const table = buffers.table("dtable", first + sequence, hidden);
      for (let row = 0; row < dy.rows; row++) {
        addTo(rowOf(table, first + positionOf(call.shape, row, undefined)), rowOf(dy, row));
      }
      buffers.write("dtable", table);
      return;
    }
    case "row_gate_gradient": {
      const { rows, columns } = call.shape;
      const y = buffers.table("y", rows, columns);
      const dp = buffers.table("dy", rows, columns);
      const gates = buffers.table("gate", rows, 1);
      const slopes = matrix(rows, 1);
      for (const [row, logit] of gates.data.entries()) {
        slopes.data[row] = dot(rowOf(dp, row), rowOf(y, row)) * sigmoid(-logit);
        rowOf(dp, row).set(rowOf(dp, row).map((value) => value * sigmoid(logit)));
      }
      buffers.write("dp", dp);
      buffers.write("dgate", slopes);
      return;
    }
    case "spread_rows": {
      const { rows, columns, group, scale } = call.shape;
      const x = buffers.table("x", rows / group, columns);
      const y = matrix(rows, columns);
      for (let row = 0; row < rows; row++) {
        rowOf(y, row).set(rowOf(x, Math.floor(row / group)).map((value) => scale * value));
      }
      buffers.write("y", y);
      return;
    }
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
      const { inputColumns = columns } = call.shape;
      const x = buffers.table("x", rows, columns, inputColumns);
      const dy = buffers.table("dy", rows, columns);
      const gain = buffers.at("gain").subarray(0, columns);
      const { dx } = normGradients(x, gain, dy, { epsilon, centered });
      const wide =
        residual === true
          ? buffers.table("residual", rows, inputColumns)
          : matrix(rows, inputColumns);
      for (let row = 0; row < rows; row++)
        addTo(rowOf(wide, row).subarray(0, columns), rowOf(dx, row));
      buffers.write("dx", wide);
      for (let row = 0; row < rows; row++) {
        const { mean, scale } = normStatistics(rowOf(x, row), { epsilon, centered });
        buffers.at("statistics").set([mean, scale, 0, 0], 4 * row);
      }
      return;
    }
    case "norm_weight_gradient": {
      const { rows, columns, bias, accumulate = false, inputColumns } = call.shape;
      const x = buffers.table("x", rows, columns, inputColumns);
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
