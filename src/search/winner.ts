// Which of the plans that a search found is written.

import type { PairedRatio } from "../measure/paired_ratio.ts";
import { fits, type FoundPlan, type Objective, valueFor } from "./candidate.ts";
import type { Searched } from "./search.ts";

/**
 * For throughput the fastest of those that ran, if it is faster than the given plan. A run times whole steps: for
 * another objective, or without a run, the best as projected, if it is better.
 *
 * @param runs of the first of the best, in their order; absent where none ran
 * @returns undefined where nothing is better
 */
export function winnerOf(
  { best, given }: Pick<Searched, "best" | "given">,
  objective: Objective,
  runs: readonly { readonly speedUp: PairedRatio }[] | undefined,
): FoundPlan | undefined {
  if (runs === undefined || objective !== "throughput") {
    const valueOf = ({ prediction }: FoundPlan): number => valueFor(objective, prediction);
    const [first] = best;
    const isBetter =
      first !== undefined &&
      (given === undefined || !fits(given) || valueOf(first) < valueOf(given));
    return isBetter ? first : undefined;
  }
  const ratios = runs.map(({ speedUp }) => speedUp.interval?.[0] ?? speedUp.ratio);
  const most = Math.max(...ratios);
  return most > 1 ? best[ratios.indexOf(most)] : undefined;
}
