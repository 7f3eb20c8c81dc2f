// Brings a value to the ranks and into the layout that the next layer wants: by the communication that
// the plan declares, else by what the layouts imply.

import type { Communication, Groups } from "../plan/plan.ts";
import type { Builder } from "./builder.ts";
import {
  allGatherColumns,
  allGatherRows,
  allReduce,
  broadcast,
  columnsToRows,
  isWholeOn,
  reduceScatterRows,
  regroupRows,
  regroupSplitRows,
  sendPairs,
} from "./moves.ts";
import type { Move } from "./move.ts";
import {
  membersOf,
  replicaRows,
  sameRanks,
  settle,
  settled,
  splitEvenly,
  type Layout,
  type Share,
  type Value,
} from "./value.ts";

/** How each of the groups that a value is brought to holds its rows: all on every member, or each a part. */
export type GroupLayout = Extract<Layout, "replicated" | "rows">;

/** The value's rows divided among `groups`, on each of which it lies as `layout` says. */
export const redistribute = (
  builder: Builder,
  value: Value,
  groups: Groups,
  name: string,
  layout: GroupLayout = "replicated",
): Value => {
  const move = (to: readonly number[], suffix: string): Move => ({
    builder,
    origin: value.origin,
    name: `${name}/${suffix}`,
    columns: value.columns,
    to,
  });
  const wanted = replicaRows(value.rows, value.sampleRows, groups);
  const sameRows =
    value.shares.length === groups.length &&
    value.shares.every((share, i) => share.rows === wanted[i]?.rows);
  if (sameRows) {
    const shares = value.shares.map((share, i) => {
      const to = groups[i] ?? [];
      return layout === "rows"
        ? scatterOn(move(to, `${i}`), share, to)
        : gatherOn(move(to, `${i}`), share, to);
    });
    return { ...value, shares };
  }
  const held = value.shares.flatMap((share, i) =>
    layout === "rows" && share.layout === "rows"
      ? heldBy(share)
      : [gatherOn(move(share.group, `${i}`), share, share.group)],
  );
  const shares = groups.map((group, j) => {
    const regroup = layout === "rows" && group.length > 1 ? regroupSplitRows : regroupRows;
    return regroup(move(group, `regroup${j}`), held, wanted[j] ?? { rowOffset: 0, rows: 0 });
  });
  return { ...value, shares };
};

/**
 * The value, of which members hold a part of the rows each, whole on all of them, for the next layer and no
 * other: as in Megatron-LM, no gathered activation is kept.
 */
export const gatherForNext = (builder: Builder, value: Value, name: string): Value => {
  const { origin, columns } = value;
  const shares = value.shares.map((share, i) => {
    const move = { builder, origin, name: `${name}/${i}`, columns, to: share.group };
    return share.group.length === 1 ? share : allGatherRows(move, share, false);
  });
  return { ...value, shares };
};

/** One share, replicated on `to`. */
const gatherOn = (move: Move, share: Share, to: readonly number[]): Share => {
  if (isWholeOn(share, to)) return settle(share);
  if (share.group.length === 1)
    return regroupRows(move, [{ ...settle(share), layout: "replicated" }], share);
  switch (share.layout) {
    case "column":
      return allGatherColumns(move, share);
    case "rows":
      return allGatherRows(move, share);
    case "partial":
      return allReduce(move, share);
    case "replicated":
      return to.every((rank) => share.group.includes(rank))
        ? { ...share, group: to }
        : regroupRows(move, [share], share);
  }
};

/** One share, its rows divided among `to`. */
const scatterOn = (move: Move, share: Share, to: readonly number[]): Share => {
  if (to.length === 1) return gatherOn(move, share, to);
  if (share.group.length > 1) {
    if (share.layout === "partial") return reduceScatterRows(move, settle(share));
    if (share.layout === "column") return columnsToRows(move, settle(share));
  }
  return isSplitOn(share, to) ? share : regroupSplitRows(move, heldBy(settle(share)), share);
};

const isSplitOn = ({ layout, group, rows, memberRows = [] }: Share, to: readonly number[]) =>
  layout === "rows" &&
  sameRanks(group, to) &&
  splitEvenly(rows, to.length).every((each, i) => each === memberRows[i]);

/** Whole rows by who holds them. */
const heldBy = (share: Share): Share[] =>
  share.layout === "rows"
    ? membersOf(share).map(({ rank, first, rows }) => ({
        group: [rank],
        rowOffset: share.rowOffset + first,
        rows,
        layout: "replicated",
        buffer: share.buffer,
      }))
    : [{ ...share, layout: "replicated" }];

/** Does what the plan declares between two stages. */
export const communicate = (
  builder: Builder,
  value: Value,
  communication: Communication,
): Value => {
  const move: Move = {
    builder,
    origin: value.origin,
    name: communication.name,
    columns: value.columns,
    to: communication.to,
  };
  const whole = communication.op === "broadcast" || communication.op === "send";
  const held = asOneShare(value);
  const share =
    whole && held.layout === "column"
      ? gatherOn({ ...move, name: `${move.name}/whole`, to: held.group }, held, held.group)
      : held;
  return { ...value, shares: [moveBy(communication, move, startedBy(share, communication))] };
};

/** The share on the ranks that the communication starts from: summands in any order, of copies any. */
const startedBy = (share: Share, { name, from }: Communication): Share => {
  if (sameRanks(share.group, from)) return share;
  const holds = from.every((rank) => share.group.includes(rank));
  if (share.layout === "partial" && holds && from.length === share.group.length) return share;
  if (share.layout === "replicated" && holds) return { ...settle(share), group: from };
  throw new Error(
    `${name} starts from ranks ${from.join(", ")}, but the value is on ${share.group.join(", ")}`,
  );
};

const moveBy = ({ op, name }: Communication, move: Move, share: Share): Share => {
  // What one rank holds alone is a whole, a block and a summand at once.
  const is = (layout: Layout): boolean => share.layout === layout || share.group.length === 1;
  if (op === "all-gather" && is("column")) return allGatherColumns(move, share);
  if (op === "all-gather" && is("rows")) return allGatherRows(move, share);
  if (op === "all-reduce" && is("partial")) return allReduce(move, share);
  if (op === "reduce-scatter" && is("partial")) return reduceScatterRows(move, settle(share));
  if (op === "all-to-all" && is("column")) return columnsToRows(move, settle(share));
  if (op === "broadcast" && is("replicated")) return broadcast(move, settle(share));
  if (op === "send" && is("replicated")) return sendPairs(move, settle(share));
  throw new Error(`${name}: ${op} of a ${share.layout} value`);
};

/** Data replicas of one rank each are row blocks of one share. */
const asOneShare = (value: Value): Share => {
  const [only] = value.shares;
  if (only === undefined) throw new Error("a value without shares");
  if (value.shares.length === 1) return only;
  const [first = only] = settled(value).shares;
  if (value.shares.some((share) => share.group.length !== 1 || share.buffer !== first.buffer)) {
    throw new Error(
      "a declared communication needs one tensor group, or replicas of one rank each",
    );
  }
  return {
    group: value.shares.flatMap((share) => share.group),
    rowOffset: 0,
    rows: value.rows,
    layout: "rows",
    memberRows: value.shares.map((share) => share.rows),
    buffer: first.buffer,
  };
};

/** Rows of each member where a replicated share is divided among its group. */
export const memberRowsOf = (share: Share): readonly number[] =>
  share.layout === "rows" && share.memberRows !== undefined
    ? share.memberRows
    : splitEvenly(share.rows, share.group.length);
