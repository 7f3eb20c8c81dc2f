// The ops of linear attention.

import type { OpBase } from "./op_base.ts";
import type { Tensor } from "./tensor.ts";

/** y [rows, columns] = silu of what each column's last tokens add up to, by weights w [tokens, columns]. */
export interface CausalConvOp extends OpBase {
  readonly op: "causal-conv";
  readonly x: Tensor;
  readonly w: Tensor;
  readonly y: Tensor;
  /** Tokens of each sequence. */
  readonly sequence: number;
}

/** The gated delta rule, as `GatedDeltaShape` says. */
export interface GatedDeltaOp extends OpBase {
  readonly op: "gated-delta";
  /** Queries, keys and values. */
  readonly x: Tensor;
  readonly update: Tensor;
  readonly step: Tensor;
  readonly rates: Tensor;
  readonly y: Tensor;
  readonly sequence: number;
  readonly keyHeads: number;
  readonly valueHeads: number;
  readonly keyDim: number;
  readonly valueDim: number;
}
