// Brings a value to the ranks and into the placement that the next layer wants.

import type { Groups } from "../plan/groups.ts";
import { redistributionOf } from "../plan/placement.ts";
import {
  allGatherColumns,
  allGatherRows,
  allReduceRows,
  allToAllRows,
  type Move,
  reduceScatterRows,
} from "./transfers.ts";
import { regroupRows, regroupSplitRows } from "./regroup.ts";
import type { NewOp } from "./op.ts";
import {
  membersOf,
  replicaRows,
  sameRanks,
  splitEvenly,
  type Shard,
  type ShardedTensor,
} from "./tensor.ts";

/** How each of the groups that a value is brought to holds its rows: all on every member, or each a part. */
export type GroupPlacement = "replicate" | "rows";

export interface Redistribute {
  readonly add: (op: NewOp) => void;
  /** Of its transfers, as a prefix. */
  readonly name: string;
  readonly groups: Groups;
  /** Default: `replicate`. */
  readonly placement?: GroupPlacement;
}

/** The value's rows divided among the groups. */
export function redistribute(
  value: ShardedTensor,
  { add, name, groups, placement = "replicate" }: Redistribute,
): ShardedTensor {
  const { origin, columns } = value;
  const move = (to: readonly number[], suffix: string): Move => ({
    add,
    origin,
    name: `${name}/${suffix}`,
    columns,
    to,
  });
  const wanted = replicaRows(value.rows, value.sampleRows, groups);
  const hasSameRows =
    value.shards.length === groups.length &&
    value.shards.every((shard, i) => shard.rows === wanted[i]?.rows);
  if (hasSameRows) {
    const shards = value.shards.map((shard, i) => {
      const to = groups[i] ?? [];
      return placement === "rows"
        ? scatterOn(move(to, `${i}`), shard)
        : gatherOn(move(to, `${i}`), shard);
    });
    return { ...value, shards };
  }
  const held = value.shards.flatMap((shard, i) =>
    placement === "rows" && shard.placement.kind === "rows"
      ? heldBy(shard)
      : [gatherOn(move(shard.ranks, `${i}`), shard)],
  );
  const shards = groups.map((group, j) => {
    const regroup = placement === "rows" && group.length > 1 ? regroupSplitRows : regroupRows;
    return regroup(move(group, `regroup${j}`), held, wanted[j] ?? { rowOffset: 0, rows: 0 });
  });
  return { ...value, shards };
}

/**
 * The value, of which members hold a part of the rows each, whole on all of them, for the next layer and no
 * other: as in Megatron-LM, no gathered activation is kept.
 */
export function gatherForNext(
  value: ShardedTensor,
  { add, name }: Pick<Redistribute, "add" | "name">,
): ShardedTensor {
  const { origin, columns } = value;
  const shards = value.shards.map((shard, i) => {
    const move = { add, origin, name: `${name}/${i}`, columns, to: shard.ranks };
    return shard.ranks.length === 1 ? shard : allGatherRows(move, shard, false);
  });
  return { ...value, shards };
}

/** One shard, replicated on the ranks of the move. */
export function gatherOn(move: Move, shard: Shard): Shard {
  const { to } = move;
  const { ranks, placement } = shard;
  if (isWholeOn(shard, to)) return shard;
  if (ranks.length === 1) return regroupRows(move, [replicated(shard)], shard);
  if (placement.kind === "replicate") {
    return to.every((rank) => ranks.includes(rank))
      ? { ...shard, ranks: to }
      : regroupRows(move, [shard], shard);
  }
  const collective = redistributionOf(placement.kind, "replicate");
  if (collective === "all-reduce") return allReduceRows(move, shard);
  return placement.kind === "columns" ? allGatherColumns(move, shard) : allGatherRows(move, shard);
}

/** One shard, its rows divided among the ranks of the move. */
function scatterOn(move: Move, shard: Shard): Shard {
  const { to } = move;
  if (to.length === 1) return gatherOn(move, shard);
  if (shard.ranks.length > 1) {
    const collective = redistributionOf(shard.placement.kind, "rows");
    if (collective === "reduce-scatter") return reduceScatterRows(move, shard);
    if (collective === "all-to-all") return allToAllRows(move, shard);
  }
  return isSplitOn(shard, to) ? shard : regroupSplitRows(move, heldBy(shard), shard);
}

function replicated(shard: Shard): Shard {
  return { ...shard, placement: { kind: "replicate" } };
}

function isWholeOn({ ranks, placement }: Shard, group: readonly number[]): boolean {
  return sameRanks(ranks, group) && (placement.kind === "replicate" || group.length === 1);
}

function isSplitOn({ placement, ranks, rows }: Shard, to: readonly number[]): boolean {
  return (
    placement.kind === "rows" &&
    sameRanks(ranks, to) &&
    splitEvenly(rows, to.length).every((each, i) => each === placement.rows[i])
  );
}

/** Whole rows by who holds them. */
function heldBy(shard: Shard): Shard[] {
  return shard.placement.kind === "rows"
    ? membersOf(shard).map(({ rank, first, rows }) => ({
        ranks: [rank],
        rowOffset: shard.rowOffset + first,
        rows,
        placement: { kind: "replicate" },
        tensor: shard.tensor,
      }))
    : [replicated(shard)];
}
