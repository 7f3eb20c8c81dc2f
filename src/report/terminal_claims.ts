// The table of claims that nothing was run for: what decides each, and what the others need.

import { decidedBy, isDecidedOrConditional, type Verdict } from "../claims/verdict.ts";
import type { Colours } from "./colour.ts";
import { formatFigure, formatPercent } from "../measure/format.ts";
import { needText } from "../claims/need_text.ts";
import { table, LINE_WIDTH } from "./table.ts";
import { coloured, summary } from "./terminal_verdicts.ts";
import { wrapIndented } from "./text_width.ts";

export const claimLines = (verdicts: readonly Verdict[], colours: Colours): string[] => {
  if (verdicts.length === 0) return ["The plan makes no claims."];
  const rows = table(
    [
      { title: "claim", align: "left" },
      { title: "claimed" },
      { title: "by the plan" },
      { title: "verdict", align: "left" },
      { title: "decided by", align: "left" },
    ],
    verdicts.map((verdict) => ({
      cells: [
        verdict.label,
        formatFigure(verdict.claimed),
        verdict.found === undefined ? "–" : formatFigure(verdict.found),
        coloured(verdict.judgement, colours),
        decidedBy(verdict) ?? "–",
      ],
    })),
    colours,
  );
  return [
    ...rows,
    "",
    ...verdicts.flatMap((verdict) => explained(verdict, colours)),
    share(verdicts),
  ];
};

/** Why, and what it needs. */
const explained = ({ label, reason, needs }: Verdict, colours: Colours): string[] => [
  colours.strong(label),
  ...wrapIndented(reason, LINE_WIDTH, 2),
  ...needs.flatMap((need) => wrapIndented(`needs ${needText(need)}`, LINE_WIDTH, 4)),
  "",
];

const share = (verdicts: readonly Verdict[]): string => {
  const told = verdicts.filter(isDecidedOrConditional).length;
  return `${summary(verdicts)}; ${told} of ${verdicts.length} decided or with a condition (${formatPercent(told / verdicts.length)})`;
};
