// Figures that contradict themselves, in words.

import type { OverBound } from "./over_bound.ts";
import { formatFigure, formatInterval } from "./format.ts";

/** In a phrase: what is over its bound, by how much, and what is likely wrong. */
export function describeOverBound({ name, found, cause }: OverBound): string {
  const interval = formatInterval(found);
  const within = interval === "" ? "" : ` (95 % within ${interval})`;
  return `${name} is ${formatFigure(found)}${within}, more than there is: ${cause}`;
}
