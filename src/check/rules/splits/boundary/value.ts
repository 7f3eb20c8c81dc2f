// Where the result of a stage lies, and what communications do with it: a column-parallel result is gathered or
// consumed as it is, a row-parallel sum is reduced, a whole one is at hand or is moved.

import { groupSize, resultSplit } from "../../../../plan/layers.ts";
import type { Communication } from "../../../../plan/plan.ts";
import type { Layer } from "../../../../plan/layers/layers.ts";
import type { Groups } from "../../../../plan/groups.ts";
import type { MoeLayer } from "../../../../plan/layers/moe.ts";

/** How a value lies on GPUs; `rows` is a value divided among data replicas of one GPU each. */
export type Layout = "whole" | "columns" | "partial sums" | "rows";

export interface Value {
  readonly layout: Layout;
  readonly groups: Groups;
}

/** What each operation takes, and what it leaves at its destination. */
export const effects: Record<Communication["op"], Partial<Record<Layout, Layout>>> = {
  "all-gather": { columns: "whole", rows: "whole" },
  "all-reduce": { "partial sums": "whole" },
  "reduce-scatter": { "partial sums": "rows" },
  "all-to-all": { columns: "rows" },
  broadcast: { whole: "whole" },
  send: { whole: "whole" },
};

export const placeOf = ({ layout, groups }: Value): string =>
  `${layout} on ${groups.flat().join()}`;

/** Whether all of it is already on every one of those GPUs. */
export const isAtHand = ({ layout, groups }: Value, to: readonly number[]): boolean =>
  groups.length === 1 &&
  (layout === "whole" || groups[0]?.length === 1) &&
  to.every((gpu) => groups[0]?.includes(gpu));

/**
 * What a stage's last layer leaves. Layers that reduce their own result leave that to the declared
 * communication, if there is one, so that nothing is moved twice.
 */
export const resultOf = (layer: Layer, isDeclared: boolean): Value => {
  const { groups, op } = layer;
  const isGroup = groupSize(layer) > 1;
  // Each replica's mean is a summand of the mean over the batch.
  if (op === "aggregate" && layer.over === "batch" && groups.length > 1) {
    return { layout: "partial sums", groups: [groups.map(([first = 0]) => first)] };
  }
  if (groups.length > 1 && !isGroup) return { layout: "rows", groups: [groups.flat()] };
  const split = resultSplit(layer);
  if (split !== "replicated") {
    return { layout: split === "column" ? "columns" : "partial sums", groups };
  }
  if (!isGroup || !isDeclared) return { layout: "whole", groups };
  if (op === "moe") return { layout: isSliced(layer) ? "partial sums" : "rows", groups };
  return { layout: op === "attention" || op === "mlp" ? "partial sums" : "whole", groups };
};

/** Slices of an expert give summands; whole experts give back the rows that they were sent. */
const isSliced = ({ expertGroups }: MoeLayer): boolean => (expertGroups[0]?.[0]?.length ?? 1) > 1;

const layouts: readonly Layout[] = ["whole", "columns", "partial sums", "rows"];

/** The layout that the operation finds, if it is one that it takes. */
export const takenBy = (op: Communication["op"], value: Value): Layout | undefined => {
  // What one GPU holds alone is a whole, a block and a summand at once.
  const isAlone = value.groups.length === 1 && value.groups[0]?.length === 1;
  const present = isAlone ? layouts : [value.layout];
  return present.find((layout) => effects[op][layout] !== undefined);
};

/** Blocks are joined in the order of their GPUs; summands have no order. */
export const isOrdered = (layout: Layout): boolean => layout === "columns" || layout === "rows";

/** All of the blocks in their order, all of the summands, or any of the copies. */
export const startsWhereItLies = (
  from: readonly number[],
  layout: Layout,
  holders: readonly number[],
): boolean => {
  if (isOrdered(layout)) return sameList(from, holders);
  const isEachOnce = new Set(from).size === from.length;
  const isEnough = layout === "whole" || from.length === holders.length;
  return isEachOnce && isEnough && from.every((gpu) => holders.includes(gpu));
};

export const describe = (layout: Layout): string =>
  layout === "whole"
    ? "result"
    : layout === "columns"
      ? "column-parallel result"
      : layout === "rows"
        ? "result, its rows divided among replicas,"
        : "row-parallel partial sum";

export const sameList = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((gpu, i) => gpu === b[i]);

export const sameGroups = (a: Groups, b: Groups): boolean =>
  a.length === b.length && a.every((group, i) => sameList(group, b[i] ?? []));
