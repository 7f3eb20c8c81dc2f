// Where the result of a stage lies, and what communications do with it: a column-parallel result is gathered or
// consumed as it is, a row-parallel sum is reduced, a whole one is at hand or is moved.

import { groupSize } from "../../../../plan/layers.ts";
import type { PlacementKind } from "../../../../plan/placement.ts";
import { type Layer, planLayerOf } from "../../../../plan/layers/layers.ts";
import type { Groups } from "../../../../plan/groups.ts";

/** Rows are those of data replicas of one GPU each. */
export interface StageResult {
  readonly placement: PlacementKind;
  readonly groups: Groups;
}

export function placeOf({ placement, groups }: StageResult): string {
  return `${placement} on ${groups.flat().join()}`;
}

/** Whether all of it is already on every one of those GPUs. */
export function isAtHand({ placement, groups }: StageResult, to: readonly number[]): boolean {
  return (
    groups.length === 1 &&
    (placement === "replicate" || groups[0]?.length === 1) &&
    to.every((gpu) => groups[0]?.includes(gpu))
  );
}

/**
 * What a stage's last layer leaves. Layers that complete their own result leave that to the declared
 * communication, if there is one, so that nothing is moved twice.
 */
export function resultOf(layer: Layer, isDeclared: boolean): StageResult {
  const { groups } = layer;
  const { leaves, aggregates } = planLayerOf(layer);
  // Each replica's mean is a summand of the mean over the batch.
  if (aggregates?.(layer) === "batch" && groups.length > 1) {
    return { placement: "partial", groups: [groups.map(([first = 0]) => first)] };
  }
  const isGroup = groupSize(layer) > 1;
  if (groups.length > 1 && !isGroup) return { placement: "rows", groups: [groups.flat()] };
  const { placement, isCompleted } = leaves(layer);
  const isLeft = isGroup && (isDeclared || !isCompleted);
  return { placement: isLeft ? placement : "replicate", groups };
}

/** What one GPU holds alone. */
export function isAlone({ groups }: StageResult): boolean {
  return groups.length === 1 && groups[0]?.length === 1;
}

/** Blocks are joined in the order of their GPUs; summands have no order. */
export function isOrdered(placement: PlacementKind): boolean {
  return placement === "columns" || placement === "rows";
}

export function describe(placement: PlacementKind): string {
  return placement === "replicate"
    ? "result"
    : placement === "columns"
      ? "column-parallel result"
      : placement === "rows"
        ? "result, its rows divided among replicas,"
        : "row-parallel partial sum";
}

export function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((gpu, i) => gpu === b[i]);
}

export function sameGroups(a: Groups, b: Groups): boolean {
  return a.length === b.length && a.every((group, i) => sameList(group, b[i] ?? []));
}
