// What figures rest on, in a phrase.

import type { Figure } from "../../measure/figure.ts";
import { samplesOf } from "../../measure/format.ts";

/** None where there is no figure. */
export function evidenceOf(figure: Figure | undefined): string[] {
  return figure === undefined ? [] : [`${figure.provenance}, ${samplesOf(figure)}`];
}
