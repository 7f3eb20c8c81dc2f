import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import type { RoutingRule } from "./route_top_k.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface RouteGradientShape extends Omit<RoutingRule, "groupLimit"> {
  readonly tokens: number;
  readonly experts: number;
  /** Of the auxiliary loss, factor · Σ c · p: p a token's scores over their sum, c the choices by expert. */
  readonly balance?: {
    readonly factor: number;
    /** Binding `counts` u32 [blocks, experts], which add up to c. */
    readonly blocks: number;
  };
  /** Of the z-loss: this · l · p, l the logarithm of Σ e^logit. Default: 0. */
  readonly logarithm?: number;
}

/** Of `route_top_k`: `dlogits` [tokens, experts] from `dweights` f32 [tokens, topK] and from two losses of the router. */
export const routeGradient: Kernel<RouteGradientShape> = {
  name: "route_gradient",
  bindings: ({ balance }) => [
    { ...read("logits"), slot: 0 },
    { ...read("ids", "u32"), slot: 1 },
    { ...read("dweights", "f32"), slot: 2 },
    ...(balance === undefined ? [] : [{ ...read("counts", "u32"), slot: 3 }]),
    { ...write("dlogits"), slot: 4 },
  ],
  preludes: ({ balance }) => [`balances/${balance === undefined ? "none" : "counted"}`],
  constants: ({ tokens, experts, topK, balance, logarithm, ...rule }) => ({
    TOKENS: tokens,
    EXPERTS: experts,
    TOP_K: topK,
    RENORMALISE: rule.renormalise ? 1 : 0,
    SIGMOID: rule.scoring === "sigmoid" ? 1 : 0,
    SCALE: rule.routedScale ?? 1,
    BALANCE: balance?.factor ?? 0,
    ...(balance === undefined ? {} : { BLOCKS: balance.blocks }),
    LOGARITHM: logarithm ?? 0,
    WORKGROUP: workgroupSize,
  }),
  grid: ({ tokens }) => flatGrid(tokens),
  flops: ({ tokens, experts, topK }) => tokens * (8 * experts + 4 * topK),
  bytes: ({ tokens, experts, topK, balance }, dtype) =>
    2 * paddedElements(tokens, experts) * bytesPerElement(dtype) +
    8 * tokens * topK +
    4 * (balance?.blocks ?? 0) * experts,
};
