// Where a promised value stands against a measured figure. Decided is only what would come out the same in another run
// and beside other load; the rest is open.

import type { Figure } from "./figure.ts";
import { formatShare } from "./format.ts";
import { reasonsOfMargin } from "./margin.ts";

export interface Standing {
  readonly is: "kept" | "broken" | "open";
  /** In a phrase. */
  readonly because: string;
}

/**
 * The whole 95 % interval must lie on one side of the promised value, the margins that it holds for what its runs
 * cannot show included.
 *
 * @param promised in the figure's unit
 */
export function standingOf(
  {
    interval,
    margin = 0,
    runs,
  }: Pick<Figure, "margin" | "runs"> & { readonly interval: readonly [number, number] },
  promised: number,
  promise: "at least" | "at most",
): Standing {
  const is = sideOf(interval, promised, promise);
  if (is === "kept") return { is, because: "the whole interval keeps the promise" };
  if (is === "broken") return { is, because: "the whole interval misses it" };
  const wide =
    margin === 0
      ? ""
      : `, which is ${percent(margin)} wider either way ` +
        (runs === undefined
          ? "for what a single run does not show (--runs 3 shows how runs differ): "
          : "for what runs in a row share: ") +
        reasonsOfMargin(runs);
  return { is, because: `the interval straddles the claim${wide}` };
}

function sideOf(
  [low, high]: readonly [number, number],
  promised: number,
  promise: "at least" | "at most",
): Standing["is"] {
  if (promise === "at least" ? low >= promised : high <= promised) return "kept";
  return (promise === "at least" ? high < promised : low > promised) ? "broken" : "open";
}

function percent(share: number): string {
  return formatShare(share, 2);
}
