// What each claim means, as a page for people.

import type { ClaimDefinition } from "../claims/table.ts";
import type { Colours } from "./colour.ts";
import { formatPercent } from "../measure/format.ts";
import { LINE_WIDTH } from "./table.ts";
import { wrapIndented } from "./text_width.ts";

export const definitionLines = (claims: readonly ClaimDefinition[], colours: Colours): string[] =>
  claims.flatMap(({ key, label, definition, formula, promise, tolerance, against, kind }) => [
    `${colours.strong(key)}  ${label}`,
    ...wrapIndented(definition, LINE_WIDTH, 2),
    ...wrapIndented(`= ${formula}`, LINE_WIDTH, 4),
    ...wrapIndented(
      `kept when it is ${promise} the claimed value${tolerance === 0 ? "; a run's 95 % interval decides" : ` (tolerance ${formatPercent(tolerance)})`}; held against: ${against}; obstacles: ${obstaclesOf[kind]}`,
      LINE_WIDTH,
      4,
    ),
    "",
  ]);

const obstaclesOf: Readonly<Record<ClaimDefinition["kind"], string>> = {
  speed:
    "software or shared adapters, other GPUs than the plan's, emulated links, training mode, assumed values, what an import left out, degrees that are only checked, a measurement that contradicts itself; load by others widens the interval",
  memory:
    "assumed values, training state that no run holds, what an import left out, quantised weights, context parallelism, a cache that decoding reads and the plan does not name",
  split: "assumed values, redundant experts that the plan does not name",
  scaling: "no run on one GPU",
};
