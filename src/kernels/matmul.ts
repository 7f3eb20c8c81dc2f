import { type Activation, activationCode } from "./activation.ts";
import { fold } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { matmulSubgroup } from "./matmul_subgroup.ts";
import { matmulTile } from "./matmul_tile.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface MatmulShape {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Applied to the product. */
  readonly activation: Activation;
}

/** Rows per invocation; no more than there are. */
const tileRows = (m: number): number => (m === 1 ? 1 : m <= 4 ? 4 : 8);

/** y[m, n] = activation(x[m, k] · w[k, n]). Row- and column-parallel layers give it their shard. */
export const matmul: Kernel<MatmulShape> = {
  name: "matmul",
  bindings: [read("x"), read("w"), write("y")],
  constants: ({ m, n, k, activation }) => {
    const { columnLanes, rowLanes } = matmulTile(m, n, tileRows(m));
    return {
      M: m,
      N: n,
      K: k,
      ACTIVATION: activationCode(activation),
      TILE_ROWS: tileRows(m),
      COLUMN_LANES: columnLanes,
      ROW_LANES: rowLanes,
    };
  },
  grid: ({ m, n }) => {
    const { columnGroups, rowGroups } = matmulTile(m, n, tileRows(m));
    return [columnGroups, ...fold(rowGroups)];
  },
  flops: ({ m, n, k }) => 2 * m * n * k,
  bytes: ({ m, n, k }, dtype) =>
    (paddedElements(m, k) + paddedElements(k, n) + paddedElements(m, n)) * bytesPerElement(dtype),
  variants: [matmulSubgroup],
};
