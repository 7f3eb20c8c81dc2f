import { activationCode } from "./activation.ts";
import type { GroupedMatmulShape } from "./grouped_matmul.ts";
import type { AdapterTraits, Variant } from "./kernel.ts";
import { ceilDiv } from "./storage.ts";
import { hasSubgroupTile, subgroupTile, suitsSubgroupTile } from "./subgroup_tile.ts";

const rowsOf = ({ experts, expectedRows }: GroupedMatmulShape): number =>
  ceilDiv(expectedRows, experts);

const tileOf = (shape: GroupedMatmulShape, adapter: AdapterTraits) =>
  subgroupTile(rowsOf(shape), shape.n, 2 * shape.expectedRows * shape.n * shape.k, adapter);

/** `grouped_matmul` with x handed round within subgroups. */
export const groupedMatmulSubgroup: Variant<GroupedMatmulShape> = {
  name: "grouped_matmul_subgroup",
  runsOn: hasSubgroupTile,
  suits: (shape, adapter) => suitsSubgroupTile(rowsOf(shape), shape.n, adapter),
  tilings: (shape, adapter) => {
    const { loadRows, tileRows, columns, lanes, columnGroups, rowGroups } = tileOf(shape, adapter);
    const constants = {
      N: shape.n,
      K: shape.k,
      ACTIVATION: activationCode(shape.activation),
      LOAD_ROWS: loadRows,
      TILE_ROWS: tileRows,
      COLUMNS: columns,
      LANES: lanes,
    };
    // Twice a balanced expert's, as in `grouped_matmul`.
    const grid = [columnGroups, Math.min(2 * rowGroups, 65_535), shape.experts] as const;
    return [{ constants, grid }];
  },
};
