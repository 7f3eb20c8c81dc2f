// What a finding about claims leans on, in words: values that the plan gives, and those it only assumes.

import { assumedAmong } from "../assumed.ts";
import { formatBytes } from "../quantity.ts";
import type { Plan } from "../plan.ts";

/** `paths` with their values; the ones that the plan's source did not give are marked. */
export const leaningOn = (
  plan: Plan,
  values: readonly (readonly [path: string, value: number])[],
): string =>
  values
    .map(
      ([path, value]) =>
        `${path} ${value}${assumedAmong(plan, [path]).length > 0 ? " (assumed)" : ""}`,
    )
    .join(", ");

/** The paths under `root` that are assumed, as one phrase. */
export const assumedUnder = (plan: Plan, ...roots: readonly string[]): string => {
  const own = assumedAmong(plan, roots);
  return own.length === 0 ? "no assumed size" : `${own.length} assumed sizes`;
};

export const percent = (share: number): string => `${Number((100 * share).toPrecision(4))} %`;

export const figure = (value: number): string => String(Number(value.toPrecision(4)));

export const bytesText = (bytes: number): string => formatBytes(bytes, "decimal");

/** How far `claimed` is above or below what `follows`. */
export const byHowMuch = (claimed: number, follows: number): string => {
  if (follows === 0) return "where nothing is left";
  const ratio = claimed / follows;
  if (ratio >= 2) return `${figure(ratio)} times as much`;
  return ratio >= 1 ? `${percent(ratio - 1)} more` : `${percent(1 - ratio)} less`;
};
