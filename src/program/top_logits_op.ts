// The op that leaves what tokens are picked from.

import type { OpBase } from "./op_base.ts";
import type { Tensor } from "./tensor.ts";

/** y u32 [rows, 2 · count] = of each row the `count` largest logits and their token ids, see `top_logits`. */
export interface TopLogitsOp extends OpBase {
  readonly op: "top-logits";
  readonly logits: Tensor;
  readonly y: Tensor;
  /** Columns of all ranks beyond it are padding. */
  readonly vocabulary: number;
  /** Each rank has a block of the columns. */
  readonly isSplit: boolean;
  readonly count: number;
}
