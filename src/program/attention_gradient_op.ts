// The ops of the backward pass of attention, and of what happened to queries and keys before it.

import type { AttentionOp, RotaryOp } from "./attention_op.ts";
import type { OpBase } from "./op_base.ts";
import type { Tensor } from "./tensor.ts";

/** y, f32 [rows · heads · 2] = of each query and head what recomputed scores are normalized with, and dy · attended. */
export interface AttentionStatisticsOp extends Omit<AttentionOp, "op"> {
  readonly op: "attention-statistics";
  readonly attended: Tensor;
  readonly dy: Tensor;
}

/** dx = the gradient of qkv; where values lie apart dv = that of all heads' values side by side. */
export interface AttentionGradientOp extends Omit<AttentionOp, "op" | "y" | "sinks"> {
  readonly op: "attention-gradient";
  readonly dy: Tensor;
  readonly statistics: Tensor;
  readonly dx: Tensor;
  readonly dv?: Tensor;
}

/** dx = the gradient of packed queries, keys and values, from that of turned queries and keys, and of values. */
export interface RotaryGradientOp extends Omit<RotaryOp, "op" | "x" | "y" | "norm" | "latent"> {
  readonly op: "rotary-gradient";
  readonly dy: Tensor;
  readonly dv: Tensor;
  readonly dx: Tensor;
}

/** y −= of each head the share of its sink in every query's softmax, times dy · attended. */
export interface SinkGradientOp extends OpBase {
  readonly op: "sink-gradient";
  readonly statistics: Tensor;
  readonly sinks: Tensor;
  readonly heads: number;
  readonly y: Tensor;
}

/** Heads of packed rows, queries and keys of which were normalized. */
interface NormedHeads extends Pick<RotaryOp, "heads" | "kvHeads" | "headDim"> {
  readonly x: Tensor;
  /** Of the normalized heads, packed as x is. */
  readonly dy: Tensor;
  readonly norm: NonNullable<RotaryOp["norm"]>;
}

/** y f32 [rows, 4] = what the rank's queries and keys add to the means of x · dy · gains over all ranks of the op. */
export interface MeanProductsOp extends OpBase, NormedHeads {
  readonly op: "mean-products";
  readonly y: Tensor;
}

/** dx = the gradient of x; statistics f32 [rows, heads + kvHeads, 2] = of each head its mean and scale. */
export interface HeadNormGradientOp extends OpBase, NormedHeads {
  readonly op: "head-norm-gradient";
  /** Of a norm over the heads of all ranks, see `MeanProductsOp`. */
  readonly products?: Tensor;
  readonly dx: Tensor;
  readonly statistics: Tensor;
}

/** y += the sum over rows, and over heads that share gains, of dy · normalized x. */
export interface HeadGainGradientOp extends OpBase, NormedHeads {
  readonly op: "head-gain-gradient";
  readonly statistics: Tensor;
  readonly y: Tensor;
}

/** From the gradient of packed heads, each with its own key and value, that of what latent attention made them of. */
export interface LatentGradientOp
  extends
    OpBase,
    Pick<RotaryOp, "heads" | "headDim">,
    Pick<Latent, "plainDim" | "valueDim" | "rank"> {
  readonly op: "latent-gradient";
  readonly dheads: Tensor;
  readonly dq: Tensor;
  readonly dkv: Tensor;
  readonly ddown: Tensor;
}

type Latent = NonNullable<RotaryOp["latent"]>;

export type AttentionGradientOps =
  | AttentionStatisticsOp
  | AttentionGradientOp
  | RotaryGradientOp
  | SinkGradientOp
  | MeanProductsOp
  | HeadNormGradientOp
  | HeadGainGradientOp
  | LatentGradientOp;
