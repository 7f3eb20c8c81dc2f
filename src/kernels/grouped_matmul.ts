import { type Activation, activationCode } from "./activation.ts";
import { groupedMatmulSubgroup } from "./grouped_matmul_subgroup.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { matmulTile } from "./matmul_tile.ts";
import { bytesPerElement, ceilDiv, paddedElements } from "./storage.ts";

export interface GroupedMatmulShape {
  /** Experts on this rank. */
  readonly experts: number;
  /** Rows that the buffers can hold; how many are in use is `offsets[experts]`, known only when it runs. */
  readonly rows: number;
  /** Rows expected in use when tokens are balanced; FLOPs and bytes count these. */
  readonly expectedRows: number;
  readonly n: number;
  readonly k: number;
  readonly activation: Activation;
}

/**
 * For twice the rows of a balanced expert, so that busy ones are spread too; workgroups that find no rows
 * end at once, and an expert with still more rows keeps its workgroups longer.
 */
const tileOf = ({ experts, expectedRows, n }: GroupedMatmulShape) =>
  matmulTile(Math.min(2 * ceilDiv(expectedRows, experts), 65_535), n, 8);

/** y[row] = activation(x[row] · w[expert of row]); rows are grouped by expert, `offsets[e]` is the first of expert e. */
export const groupedMatmul: Kernel<GroupedMatmulShape> = {
  name: "grouped_matmul",
  bindings: [read("x"), read("w"), read("offsets", "u32"), write("y")],
  constants: (shape) => {
    const { columnLanes, rowLanes } = tileOf(shape);
    return {
      N: shape.n,
      K: shape.k,
      ACTIVATION: activationCode(shape.activation),
      COLUMN_LANES: columnLanes,
      ROW_LANES: rowLanes,
    };
  },
  grid: (shape) => {
    const { columnGroups, rowGroups } = tileOf(shape);
    return [columnGroups, rowGroups, shape.experts];
  },
  flops: ({ expectedRows, n, k }) => 2 * expectedRows * n * k,
  bytes: ({ experts, expectedRows, n, k }, dtype) =>
    (paddedElements(expectedRows, k) +
      experts * paddedElements(k, n) +
      paddedElements(expectedRows, n)) *
    bytesPerElement(dtype),
  variants: [groupedMatmulSubgroup],
};
