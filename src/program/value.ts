// Where an activation [rows, columns] lives while a plan is lowered: which ranks hold which part.

import type { Groups } from "../plan/plan.ts";
import type { Origin } from "./program.ts";

/**
 * - `replicated`: every member holds all rows and columns of the share
 * - `column`: member i holds the i-th of equal column blocks
 * - `rows`: member i holds `memberRows[i]` rows, in order
 * - `partial`: every member holds a summand of the whole share
 */
export type Layout = "replicated" | "column" | "rows" | "partial";

/** The rows that one data replica holds. */
export interface Share {
  readonly group: readonly number[];
  readonly rowOffset: number;
  readonly rows: number;
  readonly layout: Layout;
  /** With layout `rows`. */
  readonly memberRows?: readonly number[];
  /** The buffer's id, the same on every member. */
  readonly buffer: string;
  /**
   * Emits the kernel that computes rows [first, first + rows) of the buffer on one member. Present where
   * that was put off, so that some rows can leave while the next are computed; `settle` ends it.
   */
  readonly compute?: (rank: number, first: number, rows: number) => void;
}

export interface Value {
  /** Of one micro-batch, over all shares. */
  readonly rows: number;
  readonly columns: number;
  /** Rows that belong to one sample. */
  readonly sampleRows: number;
  /** The layer that made it: what it still needs (a reduction, say) is charged there. */
  readonly origin: Origin;
  readonly shares: readonly Share[];
}

/** Sizes of `parts` contiguous blocks of `total`, the larger ones first, each a multiple of `unit`. */
export const splitEvenly = (total: number, parts: number, unit = 1): number[] => {
  const units = total / unit;
  const base = Math.floor(units / parts);
  const larger = units % parts;
  return Array.from({ length: parts }, (_, i) => (base + (i < larger ? 1 : 0)) * unit);
};

/** First index of each block. */
export const startsOf = (sizes: readonly number[]): number[] => {
  let next = 0;
  return sizes.map((size) => {
    const start = next;
    next += size;
    return start;
  });
};

/** What one member of a group holds. */
export interface Member {
  readonly rank: number;
  /** Within the share. */
  readonly first: number;
  readonly rows: number;
}

/** Rows of each member as they are held: all of the share, or with layout `rows` a part of them. */
export const membersOf = ({ group, rows, layout, memberRows = [] }: Share): Member[] => {
  if (layout !== "rows") return group.map((rank) => ({ rank, first: 0, rows }));
  const starts = startsOf(memberRows);
  return group.map((rank, i) => ({ rank, first: starts[i] ?? 0, rows: memberRows[i] ?? 0 }));
};

/** Row range of each data replica: whole samples, as evenly as they allow. */
export const replicaRows = (
  rows: number,
  sampleRows: number,
  groups: Groups,
): { readonly rowOffset: number; readonly rows: number }[] => {
  const sizes = splitEvenly(rows, groups.length, sampleRows);
  const starts = startsOf(sizes);
  return sizes.map((size, i) => ({ rowOffset: starts[i] ?? 0, rows: size }));
};

/** Ranks of either list, each once. */
export const union = (a: readonly number[], b: readonly number[]): number[] => [
  ...new Set([...a, ...b]),
];

export const sameRanks = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((rank, i) => rank === b[i]);

/** The share with its buffer computed. */
export const settle = (share: Share): Share => {
  const { compute, ...settled } = share;
  if (compute === undefined) return share;
  for (const rank of share.group) compute(rank, 0, share.rows);
  return settled;
};

/** The value with all buffers computed. */
export const settled = (value: Value): Value => ({ ...value, shares: value.shares.map(settle) });
