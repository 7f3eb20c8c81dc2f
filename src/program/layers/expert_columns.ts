// Which ranks work together on a mixture of experts. A column is a set of ranks that exchange tokens: its sources
// route tokens, its holders have the experts, each once. Where experts are sliced over a tensor group, every slice is
// a column of its own, and what it gives is a summand.

import type { ExpertGroup, MoeLayer } from "../../plan/plan.ts";
import { memberRowsOf } from "../redistribute.ts";
import { membersOf, replicaRows, type Share } from "../value.ts";

/** Tokens of one rank. */
export interface Source {
  readonly rank: number;
  readonly buffer: string;
  /** Within the buffer. */
  readonly first: number;
  readonly rows: number;
  /** Within the micro-batch. */
  readonly rowOffset: number;
  /** The buffer holds these rows and no others. */
  readonly alone: boolean;
}

export interface Column {
  /** Tells the transfers of one column from those of another; empty where there is one. */
  readonly key: string;
  readonly sources: readonly Source[];
  /** Ranks with experts, contiguous blocks in this order. */
  readonly holders: readonly number[];
  /** Which part of each expert's inner width they have. */
  readonly slice: { readonly index: number; readonly of: number };
}

/** GPUs of a group that hold slices of the same experts. */
export const slicesOf = ({ expertGroups }: Pick<MoeLayer, "expertGroups">): number =>
  expertGroups[0]?.[0]?.length ?? 1;

/**
 * @param shares of the input; for sliced experts replicated on their groups
 * @throws Error where tokens are on ranks of no expert group
 */
export const columnsOf = (layer: MoeLayer, shares: readonly Share[]): Column[] => {
  const { expertGroups } = layer;
  const slices = slicesOf(layer);
  const columns = expertGroups.flatMap((group, g): Column[] => {
    const key = expertGroups.length === 1 ? "" : `/${g}`;
    const own = shares.filter((share) => serves(expertGroups, group, share.group[0]));
    if (slices === 1) {
      const sources = shares
        .flatMap(sourcesOf)
        .filter(({ rank, rows }) => rows > 0 && serves(expertGroups, group, rank));
      return [{ key, sources, holders: group.flat(), slice: { index: 0, of: 1 } }];
    }
    return Array.from({ length: slices }, (_, index): Column => ({
      key: `${key}/slice${index}`,
      sources: own.map((share) => wholeShareOn(share, index)),
      holders: group.map((member) => member[index] ?? 0),
      slice: { index, of: slices },
    }));
  });
  // Of ranks that hold experts some may have no tokens, and whole groups of them.
  return columns.filter(({ sources }) => sources.length > 0);
};

/** A group serves the tokens of its own ranks; alone, all. */
const serves = (
  groups: readonly ExpertGroup[],
  group: ExpertGroup,
  rank: number | undefined,
): boolean =>
  groups.length === 1 || group.some((member) => rank !== undefined && member.includes(rank));

/** Every rank of the group has all its rows: the one at `index` routes them for its slice. */
const wholeShareOn = ({ group, buffer, rows, rowOffset }: Share, index: number): Source => {
  const rank = group[index];
  if (rank === undefined) {
    throw new Error("experts are sliced over more GPUs than their tokens are on");
  }
  return { rank, buffer, first: 0, rows, rowOffset, alone: true };
};

/** The rows of a share, divided among its ranks if each has them all. */
export const sourcesOf = (share: Share): Source[] => {
  const alone = share.layout === "rows" || share.group.length === 1;
  return membersOf({ ...share, layout: "rows", memberRows: memberRowsOf(share) }).map(
    ({ rank, first, rows }) => ({
      rank,
      buffer: share.buffer,
      first: alone ? 0 : first,
      rows,
      rowOffset: share.rowOffset + first,
      alone,
    }),
  );
};

export const tokensOf = ({ sources }: Column): number =>
  sources.reduce((sum, { rows }) => sum + rows, 0);

/** All the column's tokens and experts are on one rank. */
export const isLocal = ({ sources, holders }: Column): boolean =>
  holders.length === 1 && sources.length === 1 && sources[0]?.rank === holders[0];

/** Rows of one micro-batch that each expert group serves, in order: a capacity counts those of its group. */
export const rowsPerExpertGroup = (
  layer: MoeLayer,
  rows: number,
  sampleRows: number,
): readonly number[] => {
  const shares = replicaRows(rows, sampleRows, layer.groups).map((range, i): Share => ({
    ...range,
    group: layer.groups[i] ?? [],
    layout: "replicated",
    buffer: "",
  }));
  return columnsOf(layer, shares)
    .filter(({ slice }) => slice.index === 0)
    .map(tokensOf);
};
