// A share of what is possible at most, as it is printed: never more than all of it.

import { isOverBound } from "../../measure/bound_share.ts";
import type { Figure } from "../../measure/figure.ts";
import { formatFigure, formatInterval } from "../../measure/format.ts";

/**
 * Value and interval. A share over its bound by more than its interval contradicts itself, unless what it counts may
 * come from caches.
 */
export function boundShareCells(
  figure: Figure,
  isFromCaches: boolean,
): readonly [value: string, interval: string] {
  if (isOverBound(figure)) return [isFromCaches ? "in caches" : "> 100 %", ""];
  if (figure.value <= 1) return [formatFigure(figure), formatInterval(figure)];
  const [low] = figure.interval ?? [1];
  return ["~ 100 %", formatInterval({ ...figure, interval: [low, 1] })];
}
