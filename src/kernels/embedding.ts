import { type Binding, type Kernel, read, update, write } from "./kernel.ts";
import {
  positionsBindings,
  positionsBytes,
  positionsConstants,
  positionsPrelude,
  type PositionsShape,
} from "./positions.ts";
import { inRows, rowsAtOnce } from "./rows.ts";
import { bytesPerElement, paddedElements } from "./storage.ts";

export interface EmbeddingShape {
  readonly tokens: number;
  readonly hidden: number;
  /** First id of this shard. */
  readonly vocabularyStart: number;
  /** Ids in this shard. */
  readonly vocabularyRows: number;
  /**
   * Where the shard's rows lie in `count` tables, each looked up by a call of its own: behind the first, what belongs to
   * other ids stays as it is.
   */
  readonly tile?: { readonly index: number; readonly count: number };
  /** Default: 1. */
  readonly scale?: number;
  /** Binding `positions`, of which each token adds row `first` + its place. */
  readonly positions?: { readonly first: number } & PositionsShape;
}

/**
 * y[token] = scale · table[ids[token] - vocabularyStart] + positions[first + its place], or zeros where the id is not in
 * this shard.
 */
export const embedding: Kernel<EmbeddingShape> = {
  name: "embedding",
  bindings: ({ positions, ...shape }) => [
    { ...read("ids", "u32"), slot: 0 },
    { ...read("table"), slot: 1 },
    ...(positions === undefined
      ? []
      : [{ ...read("positions"), slot: 3 }, ...positionsBindings(positions)]),
    { ...resultOf(shape), slot: 2 },
  ],
  preludes: ({ scale = 1, positions }) =>
    positions === undefined
      ? [`entries/${scale === 1 ? "plain" : "scaled"}`]
      : [positionsPrelude(positions), "entries/positioned"],
  ...inRows<EmbeddingShape>(
    rowsAtOnce,
    ({ tokens, hidden }) => ({ rows: tokens, columns: hidden }),
    ({ tokens, hidden, vocabularyStart, vocabularyRows, tile, scale = 1, positions }) => ({
      TOKENS: tokens,
      HIDDEN: hidden,
      VOCABULARY_START: vocabularyStart,
      VOCABULARY_ROWS: vocabularyRows,
      ...(isContinued(tile) ? { KEEPS: 1 } : {}),
      ...(scale === 1 && positions === undefined ? {} : { SCALE: scale }),
      ...(positions === undefined
        ? {}
        : { FIRST_POSITION: positions.first, ...positionsConstants(positions) }),
    }),
  ),
  // Every token is in one of the tables.
  flops: ({ tokens, hidden, tile, scale = 1, positions }) =>
    (((scale === 1 ? 0 : 1) + (positions === undefined ? 0 : 1)) * tokens * hidden) /
    (tile?.count ?? 1),
  bytes: ({ tokens, hidden, tile, positions }, dtype) =>
    (tokens * 4 +
      (positions === undefined ? 0 : positionsBytes(positions, tokens)) +
      (2 * paddedElements(tokens, hidden) +
        paddedElements(Math.min(tokens, positions?.sequence ?? 0), hidden)) *
        bytesPerElement(dtype)) /
    (tile?.count ?? 1),
};

function isContinued(tile: EmbeddingShape["tile"]): boolean {
  return tile !== undefined && tile.index > 0;
}

function resultOf({ tile }: Pick<EmbeddingShape, "tile">): Binding {
  return isContinued(tile) ? { ...update("y"), isAccumulated: true } : write("y");
}
