// What the norms have in common.

import { type Binding, type Kernel, read } from "./kernel.ts";
import { inRows, laneSums, rowsAtOnce } from "./rows.ts";

export interface NormShape {
  readonly rows: number;
  readonly columns: number;
  readonly epsilon: number;
}

/** The mean is taken off. */
export interface LayerNormShape extends NormShape {
  /** Binding `bias` [columns]. */
  readonly bias?: true;
}

/** Of a norm of a sum. */
export interface Summed {
  /** Of the first summand. Default: 1. */
  readonly scale?: number;
}

type Tiling<Shape> = Pick<Kernel<Shape>, "constants" | "grid" | "prelude">;

function tilingWith<Shape extends NormShape>(
  more: (shape: Shape) => Record<string, number>,
): Tiling<Shape> {
  return {
    ...inRows<Shape>(
      rowsAtOnce,
      (shape) => shape,
      (shape) => ({
        ROWS: shape.rows,
        COLUMNS: shape.columns,
        EPSILON: shape.epsilon,
        ...more(shape),
      }),
    ),
    prelude: laneSums,
  };
}

export const normTiling: Tiling<NormShape> = tilingWith(() => ({}));

export const summedNormTiling: Tiling<NormShape & Summed> = tilingWith(({ scale = 1 }) => ({
  SCALE: scale,
}));

/** Its slot is the same in all norms that take one. */
export function biasBinding({ bias }: LayerNormShape): Binding[] {
  return bias === true ? [{ ...read("bias"), slot: 6 }] : [];
}

export function biasPreludes({ bias }: LayerNormShape): string[] {
  return [`norms/${bias === true ? "" : "no_"}bias`];
}
