// Kernels of an optimizer in f64 on the host, by the rules of the reference.

import { type BeginUpdateShape, updateState } from "../../src/kernels/begin_update.ts";
import type { KernelCall } from "../../src/kernels/catalog.ts";
import { rowPitch } from "../../src/kernels/storage.ts";
import type { UpdateWeightShape } from "../../src/kernels/update_weight.ts";
import { adamwStep, clipFactor, sgdStep } from "../../src/reference/optimizers.ts";
import { rowOf } from "../../src/reference/tensor.ts";
import { type Buffers, buffersOf } from "./named_buffers.ts";

const names = [
  "begin_update",
  "clear",
  "embedding_gradient",
  "put_columns",
  "sum_squares",
  "update_weight",
] as const;

export type UpdateCall = Extract<KernelCall, { kernel: (typeof names)[number] }>;

export function isUpdateCall(call: KernelCall): call is UpdateCall {
  return names.some((name) => name === call.kernel);
}

/** Buffers in the order of the kernel's bindings. */
export function runUpdate(call: UpdateCall, given: readonly Float64Array[]): void {
  const buffers = buffersOf(call, given);
  switch (call.kernel) {
    case "sum_squares": {
      const { columns, pitch } = call.shape.counted ?? { columns: 1, pitch: 1 };
      buffers.at("sums")[0]! += buffers
        .at("x")
        .reduce((sum, value, i) => sum + (i % pitch < columns ? value ** 2 : 0), 0);
      return;
    }
    case "put_columns": {
      const { rows, columns, outputColumns, offset } = call.shape;
      const y = buffers.table("y", rows, outputColumns);
      const x = buffers.table("x", rows, columns);
      for (let row = 0; row < rows; row++) rowOf(y, row).set(rowOf(x, row), offset);
      buffers.write("y", y);
      return;
    }
    case "clear":
      buffers.at("y").fill(0);
      return;
    case "begin_update":
      beginUpdate(call.shape, buffers);
      return;
    case "update_weight":
      updateWeight(call.shape, buffers);
      return;
    case "embedding_gradient": {
      const { tokens, hidden, vocabularyStart, vocabularyRows, scale = 1 } = call.shape;
      const pitch = rowPitch(hidden);
      const [dy, dtable] = [buffers.at("dy"), buffers.at("dtable")];
      for (const [token, id] of buffers.at("ids").subarray(0, tokens).entries()) {
        const row = id - vocabularyStart;
        if (row < 0 || row >= vocabularyRows) continue;
        for (let h = 0; h < hidden; h++) dtable[row * pitch + h]! += scale * dy[token * pitch + h]!;
      }
    }
  }
}

function beginUpdate(shape: BeginUpdateShape, buffers: Buffers): void {
  const { learningRate, beta1, beta2, clipNorm = Infinity, warmupSteps, lossScale } = shape;
  const [sums, state] = [buffers.at("sums"), buffers.at("state")];
  const norm = Math.sqrt(sums.reduce((sum, value) => sum + value, 0)) / lossScale;
  sums.fill(0);
  const put = (word: (typeof updateState)[number], value: number): void => {
    state[updateState.indexOf(word)] = value;
  };
  put("norm", norm);
  put("isFinite", Number.isFinite(norm) ? 1 : 0);
  if (!Number.isFinite(norm)) return;
  const step = state[updateState.indexOf("step")]! + 1;
  put("step", step);
  put("learningRate", learningRate * Math.min(1, step / Math.max(1, warmupSteps)));
  put("correction1", 1 - beta1 ** step);
  put("correction2", 1 - beta2 ** step);
  put("multiplier", clipFactor(norm, clipNorm) / lossScale);
}

/** The reference's step on buffers as they are, where gradients are finite; they are cleared in any case. */
function updateWeight(shape: UpdateWeightShape, buffers: Buffers): void {
  const at = (word: (typeof updateState)[number]): number =>
    buffers.at("state")[updateState.indexOf(word)]!;
  const gradient = buffers.at("gradient");
  const weights = buffers.at(shape.master === true ? "master" : "weight");
  if (at("isFinite") === 1) {
    const slopes = gradient.map((value) => at("multiplier") * value);
    const options = { ...shape, learningRate: at("learningRate") };
    if (shape.optimizer === "adamw") {
      const moments = { first: buffers.at("first"), second: buffers.at("second") };
      adamwStep(weights, slopes, moments, at("step"), options);
    } else {
      const velocity = shape.momentum > 0 ? buffers.at("first") : new Float64Array(weights.length);
      sgdStep(weights, slopes, velocity, options);
    }
  }
  if (shape.master === true) buffers.at("weight").set(weights);
  gradient.fill(0);
}
