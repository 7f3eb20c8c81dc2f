// Ops of experts: which of them rows go to, what they compute, and how rows come back.

import type { Activation } from "../kernels/activation.ts";
import type { RoutingRule } from "../kernels/route_top_k.ts";
import type { OpBase } from "./op_base.ts";
import type { Tensor, View } from "./tensor.ts";
import type { Tile } from "./tile.ts";

/** One product per expert, over the rows that `offsets` gives it. */
export interface GroupedMatmulOp extends OpBase {
  readonly op: "grouped-matmul";
  readonly x: View;
  /** [experts, k, n], transposed [experts, n, k] */
  readonly w: Tensor;
  readonly isTransposed?: boolean;
  /** As of `MatmulOp`. */
  readonly tile?: Tile;
  /** [experts, 1, n], on the ranks that add it. */
  readonly bias?: Tensor;
  readonly offsets: Tensor;
  readonly activation: Activation;
  readonly gate?: View;
  readonly residual?: View;
  readonly y: View;
  /** What all experts together are expected to get. */
  readonly choices: number;
  readonly experts: number;
}

/** Tables of a router, u32 but for the weights, which are f32. */
export interface Routing {
  /** [choices] */
  readonly ids: Tensor;
  readonly weights: Tensor;
  readonly positions: Tensor;
  /** [experts] */
  readonly counts: Tensor;
  /** [experts + 1] */
  readonly offsets: Tensor;
}

interface RoutingOp extends OpBase, Routing {
  readonly experts: number;
  readonly topK: number;
  /**
   * Ranks that route the same rows, each for its slice of every expert: what it gives them, and the gradient of what it reads,
   * are summands.
   */
  readonly slices?: readonly number[];
}

/** As of `RouteGradientShape`. */
export interface RouterLosses {
  readonly balance?: { readonly factor: number; readonly blocks: number };
  readonly logarithm?: number;
  /** [blocks, experts], choices by each of the ranks that route tokens. */
  readonly counted?: Tensor;
}

/** Chooses experts from the router's logits. */
export interface RouteOp extends RoutingOp {
  readonly op: "route";
  readonly logits: Tensor;
  readonly rule: RoutingRule;
  /** [experts] */
  readonly correction?: Tensor;
  /** What training minimizes besides; read by the backward pass alone. */
  readonly losses?: RouterLosses;
}

/** Where each choice goes when rows are sorted by expert. */
export interface RoutePositionsOp extends RoutingOp {
  readonly op: "route-positions";
}

/** y = the rows of x, one per choice, sorted by expert. */
export interface PermuteOp extends RoutingOp {
  readonly op: "permute";
  /** Rows are multiplied by the weights of their choices, here and not when they come back. */
  readonly isWeighted: boolean;
  readonly x: Tensor;
  readonly y: Tensor;
}

/** y = the weighted sum of what the experts gave for each row. */
export interface UnpermuteOp extends RoutingOp {
  readonly op: "unpermute";
  /** Rows are multiplied by the weights of their choices, now that they are back. */
  readonly isWeighted: boolean;
  readonly x: Tensor;
  /** [experts], rows of each expert that were not dropped */
  readonly kept: Tensor;
  readonly y: View;
}
