// What each claim means.

import { obstaclesByKind } from "../claims/obstacles.ts";
import type { ClaimDefinition } from "../claims/table.ts";
import { formatPercent } from "../measure/format.ts";
import { detail, gap, line, note, type Block, type Report } from "./section.ts";

export function definitionsReport(claims: readonly ClaimDefinition[]): Report {
  return { sections: [{ blocks: claims.flatMap(definitionBlocks) }] };
}

function definitionBlocks(claim: ClaimDefinition): Block[] {
  const { key, label, definition, formula, promise, tolerance, against, kind } = claim;
  const decided =
    tolerance === 0
      ? "; a run's 95 % interval decides"
      : ` (tolerance ${formatPercent(tolerance)})`;
  return [
    line([{ text: key, tone: "strong" }, `  ${label}`]),
    note(definition, "plain"),
    detail(`= ${formula}`),
    detail(
      `kept when it is ${promise} the claimed value${decided}; held against: ${against}; obstacles: ${obstaclesByKind[kind]}`,
    ),
    gap,
  ];
}
