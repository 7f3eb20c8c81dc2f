// Which ranks work together on a mixture of experts. A column is a set of ranks that exchange tokens: its sources
// route tokens, its holders have the experts, each once. Where experts are sliced over a tensor group, every slice is
// a column of its own, and what it gives is a summand.

import type { ExpertGroup } from "../../plan/groups.ts";
import type { MoeLayer } from "../../plan/layers/moe.ts";
import {
  memberRowsOf,
  membersOf,
  replicaRows,
  sameOn,
  type Shard,
  type Tensor,
} from "../tensor.ts";

/** Tokens of one rank. */
export interface TokenHolder {
  readonly rank: number;
  readonly tensor: Tensor;
  /** Within what the rank holds of the tensor. */
  readonly first: number;
  readonly rows: number;
  /** Within the micro-batch. */
  readonly rowOffset: number;
  /** The rank holds these rows of it and no others. */
  readonly alone: boolean;
  /** Ranks that route the same rows, each for its slice of every expert. */
  readonly slices?: readonly number[];
}

export interface ExpertColumn {
  /** Tells the transfers of one column from those of another; empty where there is one. */
  readonly key: string;
  readonly sources: readonly TokenHolder[];
  /** Ranks with experts, contiguous blocks in this order. */
  readonly holders: readonly number[];
  /** Which part of each expert's inner width they have. */
  readonly slice: { readonly index: number; readonly of: number };
}

/** GPUs of a group that hold slices of the same experts. */
export function expertSlices({ expertGroups }: Pick<MoeLayer, "expertGroups">): number {
  return expertGroups[0]?.[0]?.length ?? 1;
}

/**
 * @param shards of the input; for sliced experts replicated on their groups
 * @throws Error where tokens are on ranks of no expert group
 */
export function expertColumns(layer: MoeLayer, shards: readonly Shard[]): ExpertColumn[] {
  const { expertGroups } = layer;
  const slices = expertSlices(layer);
  const columns = expertGroups.flatMap((group, g): ExpertColumn[] => {
    const key = expertGroups.length === 1 ? "" : `/${g}`;
    const own = shards.filter(({ ranks }) => serves(expertGroups, group, ranks[0]));
    if (slices === 1) {
      const sources = shards
        .flatMap(sourcesOf)
        .filter(({ rank, rows }) => rows > 0 && serves(expertGroups, group, rank));
      return [{ key, sources, holders: group.flat(), slice: { index: 0, of: 1 } }];
    }
    return Array.from({ length: slices }, (_, index): ExpertColumn => ({
      key: `${key}/slice${index}`,
      sources: own.map((shard) => wholeShardOn(shard, index)),
      holders: group.map((member) => member[index] ?? 0),
      slice: { index, of: slices },
    }));
  });
  // Of ranks that hold experts some may have no tokens, and whole groups of them.
  return columns.filter(({ sources }) => sources.length > 0);
}

/** A group serves the tokens of its own ranks; alone, all. */
function serves(
  groups: readonly ExpertGroup[],
  group: ExpertGroup,
  rank: number | undefined,
): boolean {
  return groups.length === 1 || group.some((member) => rank !== undefined && member.includes(rank));
}

/** Every rank of the group has all its rows: the one at `index` routes them for its slice. */
function wholeShardOn({ ranks, tensor, rows, rowOffset }: Shard, index: number): TokenHolder {
  const rank = ranks[index];
  if (rank === undefined) {
    throw new Error("experts are sliced over more GPUs than their tokens are on");
  }
  return { rank, tensor, first: 0, rows, rowOffset, alone: true, slices: ranks };
}

/** The rows of a shard, divided among its ranks if each has them all. */
export function sourcesOf(shard: Shard): TokenHolder[] {
  const alone = shard.placement.kind === "rows" || shard.ranks.length === 1;
  const rows = memberRowsOf(shard);
  return membersOf({ ...shard, placement: { kind: "rows", rows } }).map((member) => ({
    rank: member.rank,
    tensor: shard.tensor,
    first: alone ? 0 : member.first,
    rows: member.rows,
    rowOffset: shard.rowOffset + member.first,
    alone,
  }));
}

export function tokensOf({ sources }: ExpertColumn): number {
  return sources.reduce((sum, { rows }) => sum + rows, 0);
}

/** All the column's tokens and experts are on one rank. */
export function isLocal({ sources, holders }: ExpertColumn): boolean {
  return holders.length === 1 && sources.length === 1 && sources[0]?.rank === holders[0];
}

/** Rows of one micro-batch that each expert group serves, in order: a capacity counts those of its group. */
export function rowsPerExpertGroup(
  layer: MoeLayer,
  rows: number,
  sampleRows: number,
): readonly number[] {
  const nothing: Tensor = {
    name: "",
    layer: "",
    role: "activation",
    parts: sameOn([], { shape: [] }),
  };
  const shards = replicaRows(rows, sampleRows, layer.groups).map((range, i): Shard => ({
    ...range,
    ranks: layer.groups[i] ?? [],
    placement: { kind: "replicate" },
    tensor: nothing,
  }));
  return expertColumns(layer, shards)
    .filter(({ slice }) => slice.index === 0)
    .map(tokensOf);
}
