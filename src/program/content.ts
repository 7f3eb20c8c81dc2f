// What a buffer holds before the first instruction, as a description that a rank can fill in for its own
// shard and the reference for the whole tensor, without either seeing the other.

import type { RowOrder } from "./row_order.ts";

/**
 * A rectangle of a named global tensor.
 *
 * `shape` is the global tensor's, `offset` and `size` the part held here, all with the same number of
 * dimensions (1 to 3). The last dimension is padded to quads in memory, with zeros.
 */
export interface Region {
  readonly tensor: string;
  readonly shape: readonly number[];
  readonly offset: readonly number[];
  readonly size: readonly number[];
  /** Absent: rows, or ids, are those of samples one after the other. */
  readonly order?: RowOrder;
}

export type Content =
  | RegionContent
  /** Parts with equal rows side by side, as the columns of one tensor; each a multiple of 4 wide. */
  | { readonly kind: "beside"; readonly parts: readonly RegionContent[] };

export type RegionContent =
  /** Uniform in [center - scale, center + scale], a function of seed, tensor name and global index. */
  | (Region & { readonly kind: "uniform"; readonly center: number; readonly scale: number })
  | IdsContent
  | RotationContent;

/**
 * Token ids of a step's samples, one after the other, in [0, vocabulary): hashes, or what a data set has. The last
 * dimension is not padded.
 */
export type IdsContent = Region & {
  readonly kind: "ids";
  readonly vocabulary: number;
  /** So many tokens further on in the same sample: 1 for labels. Absent: 0. */
  readonly ahead?: number;
};

/**
 * Cosines and sines of positions, [positions, 8 · quads of pairs]: of every four pairs four cosines, then four sines.
 * The first `fine` rows are positions 0, 1, …, those after them 0, fine, 2 · fine, …
 */
export type RotationContent = Region & {
  readonly kind: "rotations";
  readonly fine: number;
  /** Angle of each pair from one position to the next; what is past the last turns by nothing. */
  readonly frequencies: readonly number[];
  /** Of cosines and sines in fine rows. */
  readonly magnitude: number;
};
