import { type Kernel, read, write } from "./kernel.ts";
import { inRows } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface PermuteTokensShape {
  readonly tokens: number;
  readonly topK: number;
  readonly hidden: number;
  readonly experts: number;
}

/** y[offsets[e] + position] = x[token] for each choice e of a token: rows sorted by expert. */
export const permuteTokens: Kernel<PermuteTokensShape> = {
  name: "permute_tokens",
  bindings: [
    read("x"),
    read("ids", "u32"),
    read("positions", "u32"),
    read("offsets", "u32"),
    write("y"),
  ],
  ...inRows<PermuteTokensShape>(
    1,
    ({ tokens, hidden }) => ({ rows: tokens, columns: hidden }),
    ({ tokens, topK, hidden }) => ({ TOKENS: tokens, TOP_K: topK, HIDDEN: hidden }),
  ),
  flops: () => 0,
  bytes: ({ tokens, topK, hidden, experts }, dtype) =>
    (1 + topK) * paddedElements(tokens, hidden) * bytesPerElement(dtype) +
    8 * tokens * topK +
    4 * experts,
};
