// Gradients of heads before they were normalized, turned or made of latents, and of sinks, in f64 on the host.

import type { KernelCall } from "../../src/kernels/catalog.ts";
import { hasOwnHeadGains, headGainElements } from "../../src/kernels/head_norm_gradient.ts";
import { latentColumns } from "../../src/kernels/latent_gradient.ts";
import { headNormGradient } from "../../src/reference/backward/head_norm.ts";
import { normStatistics } from "../../src/reference/backward/norm_rows.ts";
import { addTo, matrix, rowOf } from "../../src/reference/tensor.ts";
import type { Buffers } from "./named_buffers.ts";

type HeadGradientCall = Extract<
  KernelCall,
  { kernel: "head_gain_gradient" | "head_norm_gradient" | "latent_gradient" | "sink_gradient" }
>;

export function isHeadGradient(call: KernelCall): call is HeadGradientCall {
  return ["head_gain_gradient", "head_norm_gradient", "latent_gradient", "sink_gradient"].includes(
    call.kernel,
  );
}

type ShapeOf<Name> = Extract<KernelCall, { kernel: Name }>["shape"];

export function runHeadGradient(call: HeadGradientCall, buffers: Buffers): void {
  switch (call.kernel) {
    case "head_norm_gradient":
      return call.shape.norm.kind === "all-heads"
        ? runNormOfAll(call.shape, buffers)
        : runNorm(call.shape, buffers);
    case "head_gain_gradient":
      return runGains(call.shape, buffers);
    case "latent_gradient":
      return runLatent(call.shape, buffers);
    case "sink_gradient": {
      const { rows, heads } = call.shape;
      const [sinks, statistics] = [buffers.at("sinks"), buffers.at("statistics")];
      for (let i = 0; i < rows * heads; i++) {
        const share = Math.exp(sinks[i % heads]! - statistics[2 * i]! * Math.LN2);
        buffers.at("dsinks")[i % heads]! -= share * statistics[2 * i + 1]!;
      }
    }
  }
}

/** Queries and keys of a row, each with its gains. */
function partsOf(shape: ShapeOf<"head_norm_gradient">) {
  const { heads, kvHeads, headDim } = shape;
  const firstGain = (hasOwnHeadGains(shape) ? heads : 1) * headDim;
  return [
    { first: 0, heads, firstGain: 0, at: 0 },
    { first: heads * headDim, heads: kvHeads, firstGain, at: 1 },
  ];
}

function runNorm(shape: ShapeOf<"head_norm_gradient">, buffers: Buffers): void {
  const { rows, heads, kvHeads, headDim, columns, norm } = shape;
  const [x, dx] = [buffers.table("x", rows, columns), buffers.table("dy", rows, columns)];
  const isWeighted = norm.kind !== "unweighted";
  const rule = { epsilon: norm.epsilon, centered: norm.kind === "each-head" };
  for (let row = 0; row < rows; row++) {
    for (const part of partsOf(shape)) {
      const [own, given] = [x, dx].map((m) =>
        rowOf(m, row).subarray(part.first, part.first + part.heads * headDim),
      ) as [Float64Array, Float64Array];
      const gains = isWeighted ? buffers.at("gains").subarray(part.firstGain) : undefined;
      const normed = { heads: part.heads, headDim, ...(gains && { gains }) };
      given.set(headNormGradient(own, given, norm, normed));
    }
    for (let head = 0; head < heads + kvHeads; head++) {
      const own = rowOf(x, row).subarray(head * headDim, (head + 1) * headDim);
      const { mean, scale } = normStatistics(own, rule);
      buffers.at("statistics").set([mean, scale], 2 * (row * (heads + kvHeads) + head));
    }
  }
  buffers.write("dx", dx);
}

/** By means over the heads of all ranks, which are given. */
function runNormOfAll(shape: ShapeOf<"head_norm_gradient">, buffers: Buffers): void {
  const { rows, heads, kvHeads, headDim, columns, norm } = shape;
  const [x, dx] = [buffers.table("x", rows, columns), buffers.table("dy", rows, columns)];
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < (heads + kvHeads) * headDim; i++) {
      const at = 4 * row + Number(i >= heads * headDim);
      const scale = 1 / Math.sqrt(buffers.at("squares")[at]! + norm.epsilon);
      const pull = buffers.at("products")[at]! * scale ** 2;
      const own = rowOf(dx, row);
      own[i] = scale * (own[i]! * buffers.at("gains")[i]! - rowOf(x, row)[i]! * pull);
      const head = row * (heads + kvHeads) + Math.floor(i / headDim);
      buffers.at("statistics").set([0, scale], 2 * head);
    }
  }
  buffers.write("dx", dx);
}

function runGains(shape: ShapeOf<"head_gain_gradient">, buffers: Buffers): void {
  const { rows, heads, kvHeads, headDim, columns, accumulate = false } = shape;
  const [x, dy] = [buffers.table("x", rows, columns), buffers.table("dy", rows, columns)];
  const sums = new Float64Array(headGainElements(shape));
  for (let row = 0; row < rows; row++) {
    for (const part of partsOf(shape)) {
      for (let i = 0; i < part.heads * headDim; i++) {
        const column = part.first + i;
        const at = 2 * (row * (heads + kvHeads) + Math.floor(column / headDim));
        const [mean = 0, scale = 0] = buffers.at("statistics").subarray(at, at + 2);
        const gain = part.firstGain + (hasOwnHeadGains(shape) ? i : i % headDim);
        sums[gain]! += rowOf(dy, row)[column]! * (rowOf(x, row)[column]! - mean) * scale;
      }
    }
  }
  buffers.vector("dgains", sums, accumulate);
}

function runLatent(shape: ShapeOf<"latent_gradient">, buffers: Buffers): void {
  const { rows, heads, headDim, plainDim, valueDim, rank } = shape;
  const columns = latentColumns(shape);
  const packed = buffers.table("dheads", rows, columns.packed);
  const [dq, dkv, ddown] = [columns.q, columns.kv, columns.down].map((width) =>
    matrix(rows, width),
  ) as [ReturnType<typeof matrix>, ReturnType<typeof matrix>, ReturnType<typeof matrix>];
  for (let row = 0; row < rows; row++) {
    const own = rowOf(packed, row);
    rowOf(dq, row).set(own.subarray(0, columns.q));
    for (let head = 0; head < heads; head++) {
      const key = own.subarray(columns.q + head * headDim, columns.q + (head + 1) * headDim);
      const value = own.subarray(2 * columns.q + head * valueDim).subarray(0, valueDim);
      const place = head * (plainDim + valueDim);
      rowOf(dkv, row).set(key.subarray(0, plainDim), place);
      rowOf(dkv, row).set(value, place + plainDim);
      addTo(rowOf(ddown, row).subarray(rank), key.subarray(plainDim));
    }
  }
  buffers.write("dq", dq);
  buffers.write("dkv", dkv);
  buffers.write("ddown", ddown);
}
