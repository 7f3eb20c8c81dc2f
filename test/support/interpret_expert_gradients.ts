// Gradients of a mixture of experts in f64 on the host.

import type { KernelCall } from "../../src/kernels/catalog.ts";
import { rowPitch } from "../../src/kernels/storage.ts";
import { choiceWeightsGradient, routerPullGradient } from "../../src/reference/backward/routing.ts";
import { dot, matrix, rowOf } from "../../src/reference/tensor.ts";
import type { Buffers } from "./named_buffers.ts";

type Call<Name extends KernelCall["kernel"]> = Extract<KernelCall, { kernel: Name }>;

export function runExpertGradient(
  call: Call<"grouped_weight_gradient" | "combine_weight_gradient" | "route_gradient">,
  buffers: Buffers,
): void {
  switch (call.kernel) {
    case "grouped_weight_gradient":
      runWeightGradient(call.shape, buffers);
      return;
    case "combine_weight_gradient":
      runCombine(call.shape, buffers);
      return;
    case "route_gradient":
      runRouter(call.shape, buffers);
  }
}

function runWeightGradient(
  { experts, rows, m, n }: Call<"grouped_weight_gradient">["shape"],
  buffers: Buffers,
): void {
  const [x, w] = [buffers.table("x", rows, m), buffers.table("w", rows, n)];
  const y = buffers.table("y", experts * m, n);
  const offsets = buffers.at("offsets");
  for (let expert = 0; expert < experts; expert++) {
    for (let row = offsets[expert]!; row < offsets[expert + 1]!; row++) {
      for (const [i, value] of rowOf(x, row).entries()) {
        const target = rowOf(y, expert * m + i);
        for (const [j, gradient] of rowOf(w, row).entries()) target[j]! += value * gradient;
      }
    }
  }
  buffers.write("y", y);
}

function runCombine(
  { tokens, topK, hidden }: Call<"combine_weight_gradient">["shape"],
  { at }: Buffers,
): void {
  const pitch = rowPitch(hidden);
  for (let choice = 0; choice < tokens * topK; choice++) {
    const expert = at("ids")[choice]!;
    const position = at("positions")[choice]!;
    const isKept = position < at("kept")[expert]!;
    const row = (at("offsets")[expert]! + position) * pitch;
    const token = Math.floor(choice / topK) * pitch;
    at("dweights")[choice] = isKept
      ? dot(at("x").subarray(row, row + hidden), at("dy").subarray(token, token + hidden))
      : 0;
  }
}

function runRouter(shape: Call<"route_gradient">["shape"], buffers: Buffers): void {
  const { tokens, experts, topK, balance, logarithm = 0 } = shape;
  const { at } = buffers;
  const logits = buffers.table("logits", tokens, experts);
  const gradient = matrix(tokens, experts);
  const choices = new Float64Array(experts);
  for (let i = 0; i < (balance?.blocks ?? 0) * experts; i++) {
    choices[i % experts]! += at("counts")[i]!;
  }
  const pull = { ...(balance && { balance: { factor: balance.factor, choices } }), logarithm };
  for (let token = 0; token < tokens; token++) {
    const of = (name: string): Float64Array => at(name).subarray(token * topK, (token + 1) * topK);
    const own = rowOf(logits, token);
    const chosen = Uint32Array.from(of("ids"));
    const besides = routerPullGradient(own, pull, shape);
    const ofWeights = choiceWeightsGradient(own, chosen, shape, of("dweights"));
    rowOf(gradient, token).set(ofWeights.map((value, expert) => value + besides[expert]!));
  }
  buffers.write("dlogits", gradient);
}
