// The table of claims.

import { countOf, formatEvidence, formatFigure } from "../measure/format.ts";
import type { Colours } from "./colour.ts";
import { needText } from "../claims/need_text.ts";
import { table } from "./table.ts";
import type { Judgement, Verdict } from "../claims/verdict.ts";

export const verdictLines = (verdicts: readonly Verdict[], colours: Colours): string[] => {
  if (verdicts.length === 0) return ["The plan makes no claims."];
  const rows = verdicts.map((verdict) => ({
    cells: [
      verdict.label,
      formatFigure(verdict.claimed),
      verdict.found === undefined ? "–" : formatFigure(verdict.found),
      verdict.ratio === undefined ? "–" : `${Number(verdict.ratio.toPrecision(3))}×`,
      coloured(verdict.judgement, colours),
    ],
    note: [
      verdict.found === undefined
        ? verdict.reason
        : `${formatEvidence(verdict.found)}: ${verdict.reason}`,
      ...verdict.needs.map((need) => `needs ${needText(need)}`),
    ].join("\n"),
  }));
  return [
    ...table(
      [
        { title: "claim", align: "left" },
        { title: "claimed" },
        { title: "found" },
        { title: "ratio" },
        { title: "verdict", align: "left" },
      ],
      rows,
      colours,
    ),
    "",
    summary(verdicts),
  ];
};

export const coloured = (judgement: Judgement, colours: Colours): string => {
  if (judgement === "confirmed") return colours.good(judgement);
  return judgement === "refuted" ? colours.bad(judgement) : colours.doubtful(judgement);
};

export const summary = (verdicts: readonly Verdict[]): string => {
  const judgements: readonly Judgement[] = ["confirmed", "refuted", "ambiguous", "untestable"];
  const counts = judgements.flatMap((judgement) => {
    const count = verdicts.filter((verdict) => verdict.judgement === judgement).length;
    return count === 0 ? [] : [`${count} ${judgement}`];
  });
  return `${countOf(verdicts.length, "claim")}: ${counts.join(", ")}`;
};
