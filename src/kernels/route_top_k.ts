import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

/** How a router's logits become choices and their weights. */
export interface RoutingRule {
  readonly topK: number;
  /** Weights of the chosen experts are scaled to sum to 1. */
  readonly renormalise: boolean;
  /** What is made of logits. Default: `softmax`, over all experts. */
  readonly scoring?: "softmax" | "sigmoid";
  /** Only experts of the best groups are chosen. */
  readonly groupLimit?: GroupLimitShape;
  /** Of all weights. Default: 1. */
  readonly routedScale?: number;
}

export interface GroupLimitShape {
  /** Groups of as many consecutive experts each; up to 32. */
  readonly groups: number;
  /** Groups of which a token's experts are. */
  readonly topGroups: number;
  /** What a group is judged by: its best expert, or its two best together. */
  readonly scoredBy: "best" | "two-best";
}

export interface RouteTopKShape extends RoutingRule {
  readonly tokens: number;
  readonly experts: number;
  /** Binding `correction` [experts]: added to the scores by which experts are compared, and to no weight. */
  readonly corrected?: true;
}

/** Whether logits order experts, and groups of them, as what they are compared by does. */
export const comparesScores = ({ groupLimit, corrected }: RouteTopKShape): boolean =>
  corrected === true || groupLimit?.scoredBy === "two-best";

/** The topK experts of each token by score, ties to the lower id, and the weights of what they give. */
export const routeTopK: Kernel<RouteTopKShape> = {
  name: "route_top_k",
  bindings: ({ corrected }) => [
    { ...read("logits"), slot: 0 },
    ...(corrected === true ? [{ ...read("correction"), slot: 3 }] : []),
    { ...write("ids", "u32"), slot: 1 },
    { ...write("weights", "f32"), slot: 2 },
  ],
  preludes: (shape) => {
    const scores = shape.corrected === true ? "corrected_score" : "score";
    return [
      `scores/${shape.scoring ?? "softmax"}`,
      `choices/by_${comparesScores(shape) ? scores : "logit"}`,
    ];
  },
  constants: ({ tokens, experts, topK, renormalise, groupLimit, routedScale }) => ({
    TOKENS: tokens,
    EXPERTS: experts,
    TOP_K: topK,
    RENORMALISE: renormalise ? 1 : 0,
    SCALE: routedScale ?? 1,
    GROUPS: groupLimit?.groups ?? 1,
    TOP_GROUPS: groupLimit?.topGroups ?? 1,
    COUNTED_BEST: groupLimit?.scoredBy === "two-best" ? 2 : 1,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ tokens }) => flatGrid(tokens),
  flops: ({ tokens, experts, topK }) => tokens * experts * (4 + topK),
  bytes: ({ tokens, experts, topK, corrected }, dtype) =>
    (paddedElements(tokens, experts) + (corrected === true ? experts : 0)) *
      bytesPerElement(dtype) +
    8 * tokens * topK,
};
