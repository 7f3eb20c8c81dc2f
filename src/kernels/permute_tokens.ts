import { type Kernel, read, write } from "./kernel.ts";
import { inRows } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface PermuteTokensShape {
  readonly tokens: number;
  readonly topK: number;
  readonly hidden: number;
  readonly experts: number;
  /** Binding `weights` [tokens, topK], which rows are multiplied by. */
  readonly weighted?: true;
}

/** y[offsets[e] + position] = x[token], weighted or not, for each choice e of a token: rows sorted by expert. */
export const permuteTokens: Kernel<PermuteTokensShape> = {
  name: "permute_tokens",
  bindings: ({ weighted }) => [
    { ...read("x"), slot: 0 },
    { ...read("ids", "u32"), slot: 1 },
    { ...read("positions", "u32"), slot: 2 },
    { ...read("offsets", "u32"), slot: 3 },
    ...(weighted === true ? [{ ...read("weights", "f32"), slot: 5 }] : []),
    { ...write("y"), slot: 4 },
  ],
  preludes: ({ weighted }) => [`choices/${weighted === true ? "" : "un"}weighted_rows`],
  ...inRows<PermuteTokensShape>(
    1,
    ({ tokens, hidden }) => ({ rows: tokens, columns: hidden }),
    ({ tokens, topK, hidden }) => ({ TOKENS: tokens, TOP_K: topK, HIDDEN: hidden }),
  ),
  flops: ({ tokens, topK, hidden, weighted }) => (weighted === true ? tokens * topK * hidden : 0),
  bytes: ({ tokens, topK, hidden, experts, weighted }, dtype) =>
    (1 + topK) * paddedElements(tokens, hidden) * bytesPerElement(dtype) +
    (weighted === true ? 12 : 8) * tokens * topK +
    4 * experts,
};
