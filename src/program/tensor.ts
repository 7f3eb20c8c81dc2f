// Tensors of a program and how they lie on ranks.

import { type DType, paddedElements } from "../kernels/storage.ts";
import type { Placement } from "../plan/placement.ts";
import type { Groups } from "../plan/groups.ts";
import type { Content } from "./content.ts";
import type { BufferRole, OpOrigin } from "./program.ts";
import type { Tile } from "./tile.ts";

/** What one rank holds of a tensor. */
export interface TensorPart {
  readonly shape: readonly number[];
  readonly content?: Content;
  /** Where this rank's buffer is called otherwise than the tensor: that of another layer with the same values. */
  readonly name?: string;
}

/** By rank. Thousands of ranks hold the same: then there is one part for all of them. */
export interface TensorParts {
  readonly ranks: readonly number[];
  /** One for all ranks, or one each. */
  readonly held: readonly TensorPart[];
}

export function sameOn(ranks: readonly number[], part: TensorPart): TensorParts {
  return {
    ranks,
    held: [part],
  };
}

export function partsOn(
  ranks: readonly number[],
  partOf: (member: number) => TensorPart,
): TensorParts {
  return { ranks, held: ranks.map((_, member) => partOf(member)) };
}

/** Parts of that shape each; equal ones are one. */
export function shapesOn(
  ranks: readonly number[],
  shapeOf: (member: number) => readonly number[],
): TensorParts {
  const shapes = ranks.map((_, member) => shapeOf(member));
  const [first = []] = shapes;
  const areAlike = shapes.every((shape) => shape.every((extent, i) => extent === first[i]));
  return areAlike
    ? sameOn(ranks, { shape: first })
    : { ranks, held: shapes.map((shape) => ({ shape })) };
}

/** Of one of the tensor's ranks. */
export function partOn({ parts }: Tensor, rank: number): TensorPart | undefined {
  return parts.held[parts.held.length === 1 ? 0 : parts.ranks.indexOf(rank)];
}

/** Elements of a shape, without padding. */
export function volumeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

/** Of what the rank holds, with padding; 0 where it holds nothing. */
export function elementsOn(tensor: Tensor, rank: number): number {
  const shape = partOn(tensor, rank)?.shape ?? [];
  const rows = volumeOf(shape.slice(0, -1));
  return shape.length === 0 ? 0 : paddedElements(rows, shape.at(-1) ?? 1);
}

/** What the rank's buffer is called. */
export function nameOn(tensor: Tensor, rank: number): string {
  return partOn(tensor, rank)?.name ?? tensor.name;
}

export function mapParts(
  { ranks, held }: TensorParts,
  of: (part: TensorPart) => TensorPart,
): TensorParts {
  return {
    ranks,
    held: held.map(of),
  };
}

/** Tensors of one name on ranks of their own, as one. */
export function joinTensors(tensors: readonly Tensor[]): Tensor {
  const [first] = tensors;
  if (first === undefined) throw new Error("no tensor to be joined");
  if (tensors.length === 1) return first;
  const ranks = tensors.flatMap(({ parts }) => parts.ranks);
  const held = tensors.flatMap(({ parts }) =>
    parts.held.length === 1 ? parts.ranks.flatMap(() => parts.held) : parts.held,
  );
  const isPlain = held.every(({ content, name }) => content === undefined && name === undefined);
  const parts = isPlain ? shapesOn(ranks, (member) => held[member]?.shape ?? []) : { ranks, held };
  return { ...first, parts };
}

/** One buffer on each of some ranks, all under the same name. */
export interface Tensor {
  readonly name: string;
  /** That needs it. */
  readonly layer: string;
  readonly role: BufferRole;
  /** Default: the program's. */
  readonly dtype?: DType;
  readonly parts: TensorParts;
  /**
   * Room that many tensors share, none of which outlives the op after the one that writes it: one buffer per rank and
   * slot, as large as its largest use. What runs at the same time uses a slot each.
   */
  readonly slot?: number;
}

/** A tensor or some rows of it, the same on all ranks of an op. */
export interface View {
  readonly tensor: Tensor;
  readonly window?: Window;
  /** Of the columns. */
  readonly tile?: Tile;
}

/** Rows [first, first + rows). */
export interface Window {
  readonly first: number;
  readonly rows: number;
}

export function whole(tensor: Tensor): View {
  return { tensor };
}

/** The rows of a tensor that lie on one group of ranks. */
export interface Shard {
  readonly ranks: readonly number[];
  readonly rowOffset: number;
  readonly rows: number;
  readonly placement: Placement;
  readonly tensor: Tensor;
}

/** An activation [rows, columns] of one micro-batch. */
export interface ShardedTensor {
  /** Over all shards. */
  readonly rows: number;
  readonly columns: number;
  /** Rows that belong to one sample. */
  readonly sampleRows: number;
  /** The layer that made it: what it still needs (a reduction, say) is charged there. */
  readonly origin: OpOrigin;
  /** One per data replica. */
  readonly shards: readonly Shard[];
}

/** Sizes of `parts` contiguous blocks of `total`, the larger ones first, each a multiple of `unit`. */
export function splitEvenly(total: number, parts: number, unit = 1): number[] {
  const units = total / unit;
  const base = Math.floor(units / parts);
  const larger = units % parts;
  return Array.from({ length: parts }, (_, i) => (base + (i < larger ? 1 : 0)) * unit);
}

/** First index of each block. */
export function startsOf(sizes: readonly number[]): number[] {
  let next = 0;
  return sizes.map((size) => {
    const start = next;
    next += size;
    return start;
  });
}

/** What one member of a group holds. */
export interface Member {
  readonly rank: number;
  /** Within the shard. */
  readonly first: number;
  readonly rows: number;
}

/** Rows of each member as they are held: all of the shard, or with its rows sharded a part of them. */
export function membersOf({
  ranks,
  rows,
  placement,
}: Pick<Shard, "ranks" | "rows" | "placement">): Member[] {
  if (placement.kind !== "rows") return ranks.map((rank) => ({ rank, first: 0, rows }));
  const starts = startsOf(placement.rows);
  return ranks.map((rank, i) => ({ rank, first: starts[i] ?? 0, rows: placement.rows[i] ?? 0 }));
}

/** Rows of each member where a replicated shard is divided among its group. */
export function memberRowsOf({ ranks, rows, placement }: Shard): readonly number[] {
  return placement.kind === "rows" ? placement.rows : splitEvenly(rows, ranks.length);
}

/** Row range of each data replica: whole samples, as evenly as they allow. */
export function replicaRows(
  rows: number,
  sampleRows: number,
  groups: Groups,
): { readonly rowOffset: number; readonly rows: number }[] {
  const sizes = splitEvenly(rows, groups.length, sampleRows);
  const starts = startsOf(sizes);
  return sizes.map((size, i) => ({ rowOffset: starts[i] ?? 0, rows: size }));
}

/** Ranks of either list, each once. */
export function union(a: readonly number[], b: readonly number[]): readonly number[] {
  return sameRanks(a, b) ? a : [...new Set([...a, ...b])];
}

export function sameRanks(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((rank, i) => rank === b[i]));
}
