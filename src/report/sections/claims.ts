// The claims of a plan that nothing was run for: what decides each, and what the others need.

import { needText } from "../../claims/need_text.ts";
import { decidedBy, isDecidedOrConditional, type Verdict } from "../../claims/verdict.ts";
import { formatFigure, formatPercent } from "../../measure/format.ts";
import { code, left, line, paragraph, right, table, type Section, type Table } from "../section.ts";
import { countedJudgements, foundIn, proseColumns, toned } from "./verdicts.ts";

/** The claims of a plan before anything runs. */
export function claimsSection(verdicts: readonly Verdict[]): Section {
  if (verdicts.length === 0) return { blocks: [paragraph("The plan makes no claims.")] };
  const told = verdicts.filter(isDecidedOrConditional).length;
  return {
    blocks: [
      claimsTable(verdicts),
      line([
        `${countedJudgements(verdicts)}; ${told} of ${verdicts.length} decided or with a condition (${formatPercent(told / verdicts.length)})`,
      ]),
    ],
  };
}

/** The same among all else that is said of the plan. */
export function claimsOfAnalysis(verdicts: readonly Verdict[]): Section {
  const title = "Performance Claims";
  if (verdicts.length === 0) return { title, blocks: [] };
  return {
    title,
    blocks: [
      claimsTable(verdicts),
      paragraph([
        "What is untestable here, a run decides where the machine has the plan's GPUs: ",
        code("shardbench compare"),
        ".",
      ]),
    ],
  };
}

function claimsTable(verdicts: readonly Verdict[]): Table {
  return table(
    [...left("claim"), ...right("claimed", "by the plan"), ...left("verdict", "decided by")],
    verdicts.map((verdict) => ({
      cells: [
        verdict.label,
        formatFigure(verdict.claimed),
        foundIn(verdict),
        toned(verdict.judgement),
        decidedBy(verdict) ?? "–",
      ],
      prose: [[verdict.reason], verdict.needs.map(needText)],
    })),
    { columns: proseColumns, place: "below the table" },
  );
}
