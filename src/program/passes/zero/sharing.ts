// Which ranks share out which part of a weight, and by which rows.

import { partOn, splitEvenly, type TensorPart } from "../../tensor.ts";
import { type Copies, keyOf } from "../differentiate/copies_of_weights.ts";
import type { WeightUse } from "../differentiate/walk.ts";

/** Ranks that share out one part of a weight, in order. */
export interface Sharing {
  /** Of the part, see `keyOf`. */
  readonly key: string;
  readonly ranks: readonly number[];
  /** Those that have rows of it: fewer where there are not enough for all. */
  readonly owners: readonly number[];
  /** Of each owner along the first axis. */
  readonly extents: readonly number[];
  /** By owner, those that have the same rows in other groups, and itself (HSDP); absent where one group is all. */
  readonly peers?: readonly (readonly number[])[];
}

/**
 * A use is shared out whole or not at all, and so is whatever shares a part of a weight with it.
 *
 * @param groups that have each all rows of what they share
 * @param atOnce whether all ranks that share a part use it at the same layers: none of them waits for another stage
 */
export function sharingsOf(
  uses: readonly WeightUse[],
  copies: readonly Copies[],
  groups: number,
  atOnce: boolean,
): Sharing[] {
  const usedAt = ranksByPlace(uses);
  const shapes = new Map<string, TensorPart>();
  for (const { weight, ranks } of uses) {
    for (const rank of ranks) {
      const part = partOn(weight, rank);
      if (part !== undefined) shapes.set(keyOf(weight, rank), part);
    }
  }
  let found = copies.flatMap(({ key, sums }): Sharing[][] => {
    const part = shapes.get(key);
    const isTogether = (ranks: readonly number[]): boolean =>
      !atOnce ||
      [...(usedAt.get(key)?.values() ?? [])].every((own) => ranks.every((rank) => own.has(rank)));
    const own = sums.map(({ from, to }) =>
      part !== undefined && from.join() === to.join() && isTogether(to)
        ? groupsOf(key, part, to, groups)
        : [],
    );
    return own.length > 0 && own.every((each) => each.length > 0) ? [own.flat()] : [];
  });
  for (;;) {
    const keys = new Set(found.flatMap((own) => own.map(({ key }) => key)));
    const broken = new Set(
      uses.flatMap(({ weight, ranks }) => {
        const own = ranks.map((rank) => keyOf(weight, rank));
        return own.every((key) => keys.has(key)) ? [] : own;
      }),
    );
    const kept = found.filter((own) => own.every(({ key }) => !broken.has(key)));
    if (kept.length === found.length) return found.flat();
    found = kept;
  }
}

/** By part of a weight. */
function ranksByPlace(
  uses: readonly WeightUse[],
): ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<number>>> {
  const found = new Map<string, Map<string, Set<number>>>();
  for (const { weight, ranks, site } of uses) {
    for (const rank of ranks) {
      const key = keyOf(weight, rank);
      const places = found.get(key) ?? new Map<string, Set<number>>();
      found.set(key, places);
      const own = places.get(site.place) ?? new Set<number>();
      places.set(site.place, own.add(rank));
    }
  }
  return found;
}

/** Consecutive ranks are a group. None where that leaves single ranks or some over. */
function groupsOf(
  key: string,
  part: TensorPart,
  ranks: readonly number[],
  groups: number,
): Sharing[] {
  const size = ranks.length / groups;
  if (!Number.isInteger(size) || size < 2) return [];
  const extents = extentsOf(part.shape, size);
  const members = Array.from({ length: groups }, (_, at) =>
    ranks.slice(at * size, (at + 1) * size),
  );
  const peers = extents.map((_, i) => members.flatMap((own) => own[i] ?? []));
  return members.map((own) => ({
    key,
    ranks: own,
    owners: own.slice(0, extents.length),
    extents,
    ...(groups === 1 ? {} : { peers }),
  }));
}

/** Along the first axis, a vector's in quads of which the last may not be full. */
function extentsOf([extent = 0, ...inner]: readonly number[], size: number): number[] {
  const unit = inner.length === 0 ? 4 : 1;
  const units = Math.ceil(extent / unit);
  const extents = splitEvenly(units * unit, Math.min(size, units), unit);
  const missing = units * unit - extent;
  return extents.map((own, i) => (i === extents.length - 1 ? own - missing : own));
}
