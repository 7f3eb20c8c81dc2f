// Columns of a weight that several ranks of a group hold beside columns of their own, as keys and values of fewer heads than
// ranks: the gradient of each is a summand there.

import { partsOf } from "../../content_values.ts";
import type { RegionContent } from "../../content.ts";
import { partOn } from "../../tensor.ts";
import type { WeightUse } from "./walk.ts";

/** The last columns of a use, from `first` on. */
export interface SharedColumns {
  readonly use: WeightUse;
  readonly first: number;
  readonly columns: number;
  /** Ranks that hold the same, in order; the first of them counts it. */
  readonly sharers: readonly (readonly number[])[];
}

export function regionKey({ tensor, offset, size }: RegionContent): string {
  return `${tensor} ${offset.join()}+${size.join()}`;
}

/** Of ranks that do not hold all the same. */
export function sharedColumns(use: WeightUse): SharedColumns | undefined {
  const { ranks, weight } = use;
  const held = ranks.map((rank) => {
    const content = partOn(weight, rank)?.content;
    return content === undefined ? [] : partsOf(content);
  });
  const [parts = []] = held;
  const groups = parts.map((_, at) => ranksByRegion(ranks, held, at));
  const isShared = (group: readonly (readonly number[])[]): boolean =>
    group.some((sharers) => sharers.length > 1);
  const at = groups.findIndex(isShared);
  if (at <= 0) return undefined;
  const sharers = groups[at] ?? [];
  const isLast = groups.slice(at).every((group) => String(group) === String(sharers));
  if (!isLast) throw new Error(`${weight.name}: ranks share columns in different ways`);
  const widths = parts.map(({ size }) => size.at(-1) ?? 0);
  const sum = (some: readonly number[]): number => some.reduce((total, width) => total + width, 0);
  return { use, first: sum(widths.slice(0, at)), columns: sum(widths.slice(at)), sharers };
}

function ranksByRegion(
  ranks: readonly number[],
  held: readonly (readonly RegionContent[])[],
  at: number,
): number[][] {
  const groups = new Map<string, number[]>();
  for (const [member, rank] of ranks.entries()) {
    const region = held[member]?.[at];
    const key = region === undefined ? `${rank}` : regionKey(region);
    groups.set(key, [...(groups.get(key) ?? []), rank]);
  }
  return [...groups.values()];
}
