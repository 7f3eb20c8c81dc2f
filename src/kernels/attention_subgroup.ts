import {
  attendedPairs,
  attentionConstants,
  type AttentionShape,
  valueDimOf,
} from "./attention_shape.ts";
import type { AdapterTraits, Tiling, AlternativeShader } from "./kernel.ts";
import { ceilDiv, rowQuads } from "./storage.ts";
import { subgroupSizeOf } from "./subgroups.ts";

interface Tile {
  /** Queries of a subgroup. */
  readonly tileRows: 4 | 8 | 16;
  /** Keys of a block that one lane scores. */
  readonly laneKeys: 1 | 2 | 4 | 8;
}

// Below this many FLOPs a large tile takes longer to compile than it saves in a hundred runs.
const largeFlops = 2 ** 27;

/**
 * Quads of the head that one lane sums. Wider heads are split, and each part scores all keys again. Eight quads
 * take lavapipe 8 s to compile, four 3 s.
 */
function columnsOf(valueDim: number, lanes: number): 1 | 2 | 4 | 8 {
  const columns = ceilDiv(rowQuads(valueDim), lanes);
  if (columns <= 2) return columns <= 1 ? 1 : 2;
  return columns <= 4 || lanes === 8 ? 4 : 8;
}

function tilesOf(shape: AttentionShape, lanes: number): readonly [Tile, ...Tile[]] {
  const small: Tile = { tileRows: shape.sequence <= 4 ? 4 : 8, laneKeys: lanes === 8 ? 2 : 4 };
  // Few lanes hand each query round often: more keys to a lane make up for that, while they fit the cache.
  const large: Tile = { tileRows: 16, laneKeys: lanes === 8 ? 4 : 8 };
  if (shape.sequence <= 8) return [small];
  // 16 queries of eight quads would leave the first-level cache.
  if (columnsOf(valueDimOf(shape), lanes) === 8) return [small];
  const flops =
    4 * shape.batch * shape.heads * attendedPairs({ ...shape, causal: false }) * shape.headDim;
  return flops < largeFlops ? [small, large] : [large, small];
}

function tiling(shape: AttentionShape, lanes: number, { tileRows, laneKeys }: Tile): Tiling {
  const { batch, sequence, heads } = shape;
  const columns = columnsOf(valueDimOf(shape), lanes);
  const columnGroups = ceilDiv(rowQuads(valueDimOf(shape)), lanes * columns);
  return {
    constants: {
      ...attentionConstants(shape),
      LANES: lanes,
      TILE_ROWS: tileRows,
      LANE_KEYS: laneKeys,
      COLUMNS: columns,
    },
    grid: [ceilDiv(sequence, tileRows) * columnGroups, heads, batch],
    prelude: "attention/lanes",
  };
}

function runsOn(adapter: AdapterTraits): boolean {
  return [4, 8].includes(subgroupSizeOf(adapter));
}

/** `attention` with queries and probabilities handed round within subgroups of 4 or 8. */
export const attentionSubgroup: AlternativeShader<AttentionShape> = {
  name: "attention_subgroup",
  runsOn,
  isPreferred: () => true,
  tilings: (shape, adapter) => {
    const lanes = subgroupSizeOf(adapter);
    const [first, ...others] = tilesOf(shape, lanes);
    return [tiling(shape, lanes, first), ...others.map((tile) => tiling(shape, lanes, tile))];
  },
};
