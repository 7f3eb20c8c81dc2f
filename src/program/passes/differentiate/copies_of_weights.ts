// Which ranks hold the same part of a weight, and over which of them its gradient is a sum.

import type { RegionContent } from "../../content.ts";
import { partsOf } from "../../content_values.ts";
import { partOn, type Tensor } from "../../tensor.ts";
import { NotDifferentiable } from "./not_differentiable.ts";
import { regionKey } from "./shared_columns.ts";
import { type WeightUse } from "./walk.ts";

export interface Copies {
  /** The same for equal parts of one weight. */
  readonly key: string;
  /** All that hold it. */
  readonly ranks: readonly number[];
  /** Sums that bring the gradient to all of them, side by side. */
  readonly sums: readonly { readonly from: readonly number[]; readonly to: readonly number[] }[];
}

/** @throws NotDifferentiable where ranks hold overlapping parts of a weight, and not in the same way in every group */
export function copiesOfWeights(uses: readonly WeightUse[]): Copies[] {
  const groups = new Map<string, Group[]>();
  const parts = createParts();
  for (const use of uses) {
    const own = new Map<string, number[]>();
    for (const rank of use.ranks) {
      const key = keyOf(use.weight, rank);
      parts.note(use, rank, key);
      own.set(key, [...(own.get(key) ?? []), rank]);
    }
    for (const [key, ranks] of own) {
      const known = groups.get(key) ?? [];
      groups.set(key, known);
      const isKnown = known.some((each) => each.ranks.join() === ranks.join());
      if (!isKnown) known.push({ ranks, isPartial: use.isPartial });
    }
  }
  parts.check();
  return [...groups].map(([key, own]) => ({
    key,
    ranks: [...new Set(own.flatMap(({ ranks }) => ranks))],
    sums: sumsOf(key, own),
  }));
}

interface Group {
  readonly ranks: readonly number[];
  readonly isPartial: boolean;
}

function sumsOf(key: string, groups: readonly Group[]): Copies["sums"] {
  const all = groups.flatMap(({ ranks }) => ranks).toSorted((a, b) => a - b);
  if (new Set(all).size !== all.length) {
    throw new NotDifferentiable(`ranks read one weight in two ways: ${key}`);
  }
  const partial = groups.filter(({ isPartial }) => isPartial);
  if (partial.length === groups.length) {
    return all.length === 1 ? [] : [{ from: all, to: all }];
  }
  if (partial.length > 0) throw new NotDifferentiable(`${key}: whole here and a summand there`);
  if (groups.length === 1) return [];
  const [first] = groups;
  const size = first?.ranks.length ?? 0;
  if (groups.some(({ ranks }) => ranks.length !== size)) {
    return [{ from: groups.flatMap(({ ranks }) => ranks.slice(0, 1)), to: all }];
  }
  return Array.from({ length: size }, (_, i) => {
    const ranks = groups.flatMap((group) => group.ranks[i] ?? []).toSorted((a, b) => a - b);
    return { from: ranks, to: ranks };
  });
}

/** The same for equal parts of one weight. */
export function keyOf(weight: Tensor, rank: number): string {
  const content = partOn(weight, rank)?.content;
  if (content === undefined) throw new Error(`${weight.name}: a weight without content`);
  const regions = partsOf(content);
  return regions.map(regionKey).join(" ");
}

/**
 * Refuses parts that overlap: gradients would have to be summed over some of their elements. What ranks of a group share, see
 * `shared_columns`, every group shares among the same parts.
 */
function createParts() {
  const regions = new Map<string, Map<string, RegionContent>>();
  /** By region and group, whole parts that it is of. */
  const holders = new Map<string, Map<string, Set<string>>>();
  return {
    note({ weight, ranks }: WeightUse, rank: number, key: string): void {
      const content = partOn(weight, rank)?.content;
      if (content === undefined) return;
      for (const region of partsOf(content)) {
        const known = entryOf(regions, region.tensor, () => new Map<string, RegionContent>());
        known.set(regionKey(region), region);
        const groups = entryOf(holders, regionKey(region), () => new Map<string, Set<string>>());
        entryOf(groups, ranks.join(), () => new Set<string>()).add(key);
      }
    },
    /** @throws NotDifferentiable */
    check(): void {
      for (const [tensor, known] of regions) {
        const all = [...known.values()];
        const isApart = all.every(
          (one, i) => !all.slice(i + 1).some((other) => overlap(one, other)),
        );
        const isAlike = [...known.keys()].every((region) => {
          const groups = [...(holders.get(region)?.values() ?? [])];
          const own = groups.map((keys) => [...keys].toSorted().join("|"));
          return new Set(own).size === 1;
        });
        if (!isApart || !isAlike)
          throw new NotDifferentiable(`ranks hold overlapping parts of ${tensor}`);
      }
    },
  };
}

function entryOf<Key, Value>(map: Map<Key, Value>, key: Key, created: () => Value): Value {
  const value = map.get(key) ?? created();
  map.set(key, value);
  return value;
}

function overlap(a: RegionContent, b: RegionContent): boolean {
  return a.offset.every((start, axis) => {
    const [end, otherStart] = [start + (a.size[axis] ?? 0), b.offset[axis] ?? 0];
    return start < otherStart + (b.size[axis] ?? 0) && otherStart < end;
  });
}
