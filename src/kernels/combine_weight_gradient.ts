import type { CombineTokensShape } from "./combine_tokens.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { inRows, laneSums } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export type CombineWeightGradientShape = Omit<CombineTokensShape, "unweighted">;

/** Of `combine_tokens`: `dweights` f32 [tokens, topK], dy[token] · x[offsets[e] + position], 0 of dropped choices. */
export const combineWeightGradient: Kernel<CombineWeightGradientShape> = {
  name: "combine_weight_gradient",
  bindings: [
    read("x"),
    read("dy"),
    read("ids", "u32"),
    read("positions", "u32"),
    read("offsets", "u32"),
    read("kept", "u32"),
    write("dweights", "f32"),
  ],
  prelude: laneSums,
  ...inRows<CombineWeightGradientShape>(
    1,
    ({ tokens, hidden }) => ({ rows: tokens, columns: hidden }),
    ({ tokens, topK, hidden }) => ({ TOKENS: tokens, TOP_K: topK, HIDDEN: hidden }),
  ),
  flops: ({ tokens, topK, hidden }) => 2 * tokens * topK * hidden,
  bytes: ({ tokens, topK, hidden, experts }, dtype) =>
    (1 + topK) * paddedElements(tokens, hidden) * bytesPerElement(dtype) +
    12 * tokens * topK +
    8 * experts,
};
