// Kernels of losses in f64 on the host, by the rules of the reference.

import type { KernelCall } from "../../src/kernels/catalog.ts";
import { squaredError } from "../../src/reference/backward/losses.ts";
import { mapValues, matrix, type Matrix, rowOf } from "../../src/reference/tensor.ts";
import { type Buffers, buffersOf } from "./named_buffers.ts";

const names = [
  "cross_entropy",
  "cross_entropy_gradient",
  "loss_statistics",
  "squared_error",
  "squared_error_gradient",
] as const;

export type LossCall = Extract<KernelCall, { kernel: (typeof names)[number] }>;

export function isLossCall(call: KernelCall): call is LossCall {
  return names.some((name) => name === call.kernel);
}

/** Largest logit, sum of exponentials below it, label's logit and 1 where it is here, of one block of columns. */
function statisticsOf(logits: Float64Array, label: number): number[] {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const sum = logits.reduce((all, logit) => all + Math.exp(logit - largest), 0);
  return [largest, sum, logits[label] ?? 0, label in logits ? 1 : 0];
}

/** Of one row, over all blocks: log Σ exp(logit), and the label's logit. */
function overBlocks(
  statistics: Float64Array,
  row: number,
  { rows, blocks }: { readonly rows: number; readonly blocks: number },
): { readonly logSum: number; readonly label: number } {
  const all = Array.from({ length: blocks }, (_, block) => [
    ...statistics.subarray(4 * (block * rows + row), 4 * (block * rows + row) + 4),
  ]);
  const largest = Math.max(...all.map(([top = 0]) => top));
  const sum = all.reduce((s, [top = 0, part = 0]) => s + part * Math.exp(top - largest), 0);
  const label = all.reduce((s, [, , logit = 0]) => s + logit, 0);
  return { logSum: Math.log(sum) + largest, label };
}

/** Of each row by itself. */
function lossesOf({ rows }: Matrix, lossOf: (row: number) => number): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => lossOf(row));
}

/** Buffers in the order of the kernel's bindings. */
export function runLoss(call: LossCall, given: readonly Float64Array[]): void {
  const buffers = buffersOf(call, given);
  const { rows } = call.shape;
  switch (call.kernel) {
    case "loss_statistics": {
      const { columns, firstColumn } = call.shape;
      const logits = buffers.table("x", rows, columns);
      for (const [row, label] of buffers.at("labels").subarray(0, rows).entries()) {
        const own = statisticsOf(rowOf(logits, row), label - firstColumn);
        buffers.at("statistics").set(own, 4 * row);
      }
      return;
    }
    case "cross_entropy": {
      const statistics = buffers.at("statistics");
      for (let row = 0; row < rows; row++) {
        const { logSum, label } = overBlocks(statistics, row, call.shape);
        buffers.at("losses")[row] = logSum - label;
      }
      return;
    }
    case "cross_entropy_gradient": {
      const { columns, firstColumn, scale } = call.shape;
      const dx = buffers.table("logits", rows, columns);
      for (let row = 0; row < rows; row++) {
        const { logSum } = overBlocks(buffers.at("statistics"), row, call.shape);
        const own = rowOf(dx, row);
        own.set(own.map((logit) => scale * Math.exp(logit - logSum)));
        const label = (buffers.at("labels")[row] ?? 0) - firstColumn;
        if (label in own) own[label]! -= scale;
      }
      buffers.write("dx", dx);
      return;
    }
    case "squared_error":
    case "squared_error_gradient":
      runSquaredError(call, buffers);
  }
}

function runSquaredError(
  call: Extract<LossCall, { kernel: "squared_error" | "squared_error_gradient" }>,
  buffers: Buffers,
): void {
  const { rows, columns } = call.shape;
  const [x, targets] = ["x", "targets"].map((name) => buffers.table(name, rows, columns));
  if (x === undefined || targets === undefined) return;
  if (call.kernel === "squared_error_gradient") {
    const { gradient } = squaredError(x, targets);
    buffers.write(
      "dx",
      mapValues(gradient, (value) => call.shape.scale * value),
    );
    return;
  }
  const rowMatrix = (of: Matrix, row: number): Matrix => matrix(1, columns, rowOf(of, row));
  buffers
    .at("losses")
    .set(lossesOf(x, (row) => squaredError(rowMatrix(x, row), rowMatrix(targets, row)).loss));
}
