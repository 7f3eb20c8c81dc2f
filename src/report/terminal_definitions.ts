// What each claim means, as a page for people.

import { obstaclesByKind } from "../claims/obstacles.ts";
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
      `kept when it is ${promise} the claimed value${tolerance === 0 ? "; a run's 95 % interval decides" : ` (tolerance ${formatPercent(tolerance)})`}; held against: ${against}; obstacles: ${obstaclesByKind[kind]}`,
      LINE_WIDTH,
      4,
    ),
    "",
  ]);
