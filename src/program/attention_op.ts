// The ops of attention, and of what happens to queries and keys before it.

import type { ScoreRules as KernelRules, ValuesApart } from "../kernels/attention_shape.ts";
import type { HeadNorm, HeadTurn, LatentHeads, RotaryTemperature } from "../kernels/rotary.ts";
import type { PositionsShape } from "../kernels/positions.ts";
import type { OpBase } from "./op_base.ts";
import type { Tensor } from "./tensor.ts";

/** What attention makes of scores, but for slopes, which are those of a rank's heads. */
export type AttentionScoreRules = Omit<KernelRules, "alibi">;

export interface AttentionOp extends OpBase {
  readonly op: "attention";
  /** Queries of the rank's heads, then keys, then where `values` is absent values of its KV heads. */
  readonly qkv: Tensor;
  /** Of head h the `dim` columns from `first + h · step` on. */
  readonly values?: { readonly v: Tensor } & Pick<ValuesApart, "dim" | "first" | "step">;
  /** [heads] */
  readonly sinks?: Tensor;
  readonly y: Tensor;
  readonly sequence: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly rules: AttentionScoreRules;
  /** Heads of all ranks, whose slopes scores fall with. */
  readonly alibiHeads?: number;
}

/** What attention that is not fused makes first: y f32 [rows · heads, sequence] = the scores of queries and keys. */
export interface AttentionScoresOp extends Omit<AttentionOp, "op" | "sinks"> {
  readonly op: "attention-scores";
}

/** y = softmax of each row of x, both f32. */
export interface SoftmaxOp extends OpBase {
  readonly op: "softmax";
  readonly x: Tensor;
  readonly y: Tensor;
}

/** The values by their weights, f32 [rows · heads, sequence]. */
export interface AttentionValuesOp extends Omit<AttentionOp, "op" | "sinks"> {
  readonly op: "attention-values";
  readonly weights: Tensor;
}

/** Queries and keys, the first columns of x, normalized and turned by their positions. */
export interface RotaryOp extends OpBase {
  readonly op: "rotary";
  readonly x: Tensor;
  /** Of latent attention, whose x has queries alone: where keys lie, as in `RotaryShape`. */
  readonly latent?: { readonly kv: Tensor; readonly down: Tensor } & LatentHeads;
  readonly y: Tensor;
  readonly sequence: number;
  /** Of new tokens of requests, `queries` rows each. Absent: rows are whole sequences, or slices of them. */
  readonly spans?: Tensor;
  readonly queries?: number;
  readonly slices?: PositionsShape["slices"];
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly turn?: HeadTurn & { readonly rotations: Tensor };
  readonly temperature?: RotaryTemperature;
  readonly norm?: HeadNorm & {
    /** Absent where it has no weights. */
    readonly gains?: Tensor;
    /** Of a norm over the heads of all ranks. */
    readonly squares?: Tensor;
  };
}

/**
 * y [rows, heads · (n + kept)]: of each of the rank's heads the product of its `k` columns of x with its block of w, then
 * the `kept` columns behind them as they are.
 */
export interface HeadMatmulOp extends OpBase {
  readonly op: "head-matmul";
  readonly x: Tensor;
  /** Of head h the columns from `first + h · step` on. */
  readonly w: Tensor;
  readonly first: number;
  readonly step: number;
  /** Each head's block lies as [n, k]. */
  readonly isTransposed: boolean;
  readonly y: Tensor;
  readonly heads: number;
  readonly k: number;
  readonly n: number;
  readonly kept: number;
}

/** y [rows, 4] = what the rank's queries and keys add to the means of their squares over all ranks of the op. */
export interface MeanSquaresOp extends OpBase {
  readonly op: "mean-squares";
  readonly x: Tensor;
  readonly y: Tensor;
  readonly queryColumns: number;
  readonly keyColumns: number;
}
