import { type Kernel, read, write } from "./kernel.ts";
import { inRows } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface CombineTokensShape {
  readonly tokens: number;
  readonly topK: number;
  readonly hidden: number;
  readonly experts: number;
  /** Rows were weighed before: all count alike, and there is no binding `weights`. */
  readonly unweighted?: true;
}

/** y[token] = Σ over its choices e of weight · x[offsets[e] + position]; choices with position ≥ kept[e] were dropped and add nothing. */
export const combineTokens: Kernel<CombineTokensShape> = {
  name: "combine_tokens",
  bindings: ({ unweighted }) => [
    { ...read("x"), slot: 0 },
    { ...read("ids", "u32"), slot: 1 },
    { ...read("positions", "u32"), slot: 2 },
    { ...read("offsets", "u32"), slot: 3 },
    { ...read("kept", "u32"), slot: 4 },
    ...(unweighted === true ? [] : [{ ...read("weights", "f32"), slot: 5 }]),
    { ...write("y"), slot: 6 },
  ],
  preludes: ({ unweighted }) => [`choices/${unweighted === true ? "plain" : "weighted"}_sum`],
  ...inRows<CombineTokensShape>(
    1,
    ({ tokens, hidden }) => ({ rows: tokens, columns: hidden }),
    ({ tokens, topK, hidden }) => ({ TOKENS: tokens, TOP_K: topK, HIDDEN: hidden }),
  ),
  flops: ({ tokens, topK, hidden, unweighted }) =>
    (unweighted === true ? 1 : 2) * tokens * topK * hidden,
  bytes: ({ tokens, topK, hidden, experts, unweighted }, dtype) =>
    (1 + topK) * paddedElements(tokens, hidden) * bytesPerElement(dtype) +
    (unweighted === true ? 8 : 12) * tokens * topK +
    8 * experts,
};
