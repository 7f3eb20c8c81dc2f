// Ops that look rows up.

import type { PositionsShape } from "../kernels/positions.ts";
import type { OpBase } from "./op_base.ts";
import type { Tensor } from "./tensor.ts";
import type { Tile } from "./tile.ts";

export interface EmbeddingOp extends OpBase {
  readonly op: "embedding";
  readonly ids: Tensor;
  readonly table: Tensor;
  /** `table` is that of the rows; behind the first, y keeps what others have looked up. */
  readonly tile?: Tile;
  /** Absent: 1. */
  readonly scale?: number;
  readonly positions?: PositionOperands;
  /** Of positions, as of `RotaryOp`. */
  readonly spans?: Tensor;
  readonly y: Tensor;
}

/** A token adds the row of its place in its sequence, from `first` on. */
export interface PositionOperands extends PositionsShape {
  readonly table: Tensor;
  readonly first: number;
}

/** y[i] = row ids[i] of x */
export interface GatherRowsOp extends OpBase {
  readonly op: "gather-rows";
  readonly x: Tensor;
  /** [rows of y] */
  readonly ids: Tensor;
  readonly y: Tensor;
}
