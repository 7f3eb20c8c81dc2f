// What the norms have in common.

import type { Kernel } from "./kernel.ts";
import { inRows, laneSums, rowsAtOnce } from "./rows.ts";

export interface NormShape {
  readonly rows: number;
  readonly columns: number;
  readonly epsilon: number;
}

export const normTiling: Pick<Kernel<NormShape>, "constants" | "grid" | "prelude"> = {
  ...inRows<NormShape>(
    rowsAtOnce,
    (shape) => shape,
    ({ rows, columns, epsilon }) => ({ ROWS: rows, COLUMNS: columns, EPSILON: epsilon }),
  ),
  prelude: laneSums,
};
