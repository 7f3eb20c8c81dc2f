// Numbers and lists in the sentences of verdicts.

import { formatShare } from "../measure/format.ts";
import { thousands } from "../measure/thousands.ts";

export function number(value: number): string {
  const rounded = Number(value.toPrecision(4));
  return Math.abs(rounded) >= 1000 && Math.abs(rounded) < 1e7
    ? thousands(rounded)
    : String(rounded);
}

export function percent(share: number): string {
  return formatShare(share, 3);
}

const prefixes = ["", "k", "M", "G", "T", "P", "E", "Z"] as const;

/** With a decimal prefix, such as `989 TFLOP/s`. */
export function quantity(value: number, unit: string): string {
  const power =
    value === 0
      ? 0
      : Math.min(prefixes.length - 1, Math.max(0, Math.floor(Math.log10(Math.abs(value)) / 3)));
  return `${Number((value / 1000 ** power).toPrecision(4))} ${prefixes[power]}${unit}`;
}

/** The first few paths and how many more. */
export function someOf(paths: readonly string[]): string {
  const more = paths.length > 4 ? ` and ${paths.length - 4} more` : "";
  return `${paths.slice(0, 4).join(", ")}${more}`;
}
