import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface RouteTopKShape {
  readonly tokens: number;
  readonly experts: number;
  readonly topK: number;
  /** Weights of the chosen experts are scaled to sum to 1. */
  readonly renormalise: boolean;
}

/** Softmax over the experts of each token, then the topK most probable, ties to the lower id. */
export const routeTopK: Kernel<RouteTopKShape> = {
  name: "route_top_k",
  bindings: [read("logits"), write("ids", "u32"), write("weights", "f32")],
  constants: ({ tokens, experts, topK, renormalise }) => ({
    TOKENS: tokens,
    EXPERTS: experts,
    TOP_K: topK,
    RENORMALISE: renormalise ? 1 : 0,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ tokens }) => flatGrid(tokens),
  flops: ({ tokens, experts, topK }) => tokens * experts * (4 + topK),
  bytes: ({ tokens, experts, topK }, dtype) =>
    paddedElements(tokens, experts) * bytesPerElement(dtype) + 8 * tokens * topK,
};
