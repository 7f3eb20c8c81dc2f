import { type Kernel, read, write } from "./kernel.ts";
import { inRows } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface CombineTokensShape {
  readonly tokens: number;
  readonly topK: number;
  readonly hidden: number;
  readonly experts: number;
}

/** y[token] = Σ over its choices e of weight · x[offsets[e] + position]; choices with position ≥ kept[e] were dropped and add nothing. */
export const combineTokens: Kernel<CombineTokensShape> = {
  name: "combine_tokens",
  bindings: [
    read("x"),
    read("ids", "u32"),
    read("positions", "u32"),
    read("offsets", "u32"),
    read("kept", "u32"),
    read("weights", "f32"),
    write("y"),
  ],
  ...inRows<CombineTokensShape>(
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
