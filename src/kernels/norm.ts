// What the norms have in common.

import type { Kernel } from "./kernel.ts";
import { inRows, laneSums } from "./rows.ts";

export interface NormShape {
  readonly rows: number;
  readonly columns: number;
  readonly epsilon: number;
}

/** Rows that a workgroup takes at once, one for each component of a vec4. */
const rowsPerGroup = 4;

export const normTiling: Pick<Kernel<NormShape>, "constants" | "grid" | "prelude"> = {
  ...inRows<NormShape>(
    rowsPerGroup,
    (shape) => shape,
    ({ rows, columns, epsilon }) => ({ ROWS: rows, COLUMNS: columns, EPSILON: epsilon }),
  ),
  prelude: laneSums,
};
