import { activationCode } from "./activation.ts";
import { fold } from "./grid.ts";
import type { AdapterTraits, Variant } from "./kernel.ts";
import type { MatmulShape } from "./matmul.ts";
import { hasSubgroupTile, subgroupTile, suitsSubgroupTile } from "./subgroup_tile.ts";

const tileOf = ({ m, n, k }: MatmulShape, adapter: AdapterTraits) =>
  subgroupTile(m, n, 2 * m * n * k, adapter);

/** `matmul` with x handed round within subgroups. */
export const matmulSubgroup: Variant<MatmulShape> = {
  name: "matmul_subgroup",
  runsOn: hasSubgroupTile,
  suits: ({ m, n }, adapter) => suitsSubgroupTile(m, n, adapter),
  tilings: (shape, adapter) => {
    const { loadRows, tileRows, columns, lanes, columnGroups, rowGroups } = tileOf(shape, adapter);
    const constants = {
      M: shape.m,
      N: shape.n,
      K: shape.k,
      ACTIVATION: activationCode(shape.activation),
      LOAD_ROWS: loadRows,
      TILE_ROWS: tileRows,
      COLUMNS: columns,
      LANES: lanes,
    };
    return [{ constants, grid: [columnGroups, ...fold(rowGroups)] }];
  },
};
