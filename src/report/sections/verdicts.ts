// What became of each claim of a run, and how many of each.

import type { Judgement, Verdict } from "../../claims/verdict.ts";
import { needText } from "../../claims/need_text.ts";
import { countOf, formatEvidence, formatFigure } from "../../measure/format.ts";
import {
  gap,
  left,
  line,
  paragraph,
  right,
  table,
  type Prose,
  type Section,
  type TonedText,
} from "../section.ts";

export const proseColumns: Prose["columns"] = [
  { title: "why" },
  { title: "what it needs", lead: "needs" },
];

/** Of a run, by what it measured. */
export function verdictsSection(verdicts: readonly Verdict[]): Section {
  const title = "Claims";
  if (verdicts.length === 0) return { title, blocks: [paragraph("The plan makes no claims.")] };
  const rows = verdicts.map((verdict) => ({
    cells: [
      verdict.label,
      formatFigure(verdict.claimed),
      foundIn(verdict),
      verdict.ratio === undefined ? "–" : `${Number(verdict.ratio.toPrecision(3))}×`,
      toned(verdict.judgement),
    ],
    prose: [
      [
        verdict.found === undefined
          ? verdict.reason
          : `${formatEvidence(verdict.found)}: ${verdict.reason}`,
      ],
      verdict.needs.map(needText),
    ],
  }));
  return {
    title,
    blocks: [
      table([...left("claim"), ...right("claimed", "found", "ratio"), ...left("verdict")], rows, {
        columns: proseColumns,
        place: "under its row",
      }),
      gap,
      line([countedJudgements(verdicts)]),
    ],
  };
}

export function foundIn({ found }: Verdict): string {
  return found === undefined ? "–" : formatFigure(found);
}

export function toned(judgement: Judgement): TonedText {
  if (judgement === "confirmed") return { text: judgement, tone: "good" };
  return { text: judgement, tone: judgement === "refuted" ? "bad" : "doubtful" };
}

export function countedJudgements(verdicts: readonly Verdict[]): string {
  const judgements: readonly Judgement[] = [
    "confirmed",
    "refuted",
    "projected",
    "ambiguous",
    "untestable",
  ];
  const counts = judgements.flatMap((judgement) => {
    const count = verdicts.filter((verdict) => verdict.judgement === judgement).length;
    return count === 0 ? [] : [`${count} ${judgement}`];
  });
  return `${countOf(verdicts.length, "claim")}: ${counts.join(", ")}`;
}
