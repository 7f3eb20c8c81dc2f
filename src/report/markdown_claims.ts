// The claims of a plan and what can be said of them before anything runs.

import { decidedBy, type Verdict } from "../claims/verdict.ts";
import { formatFigure } from "../measure/format.ts";
import { needText } from "../claims/need_text.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");

export const claimSection = (verdicts: readonly Verdict[]): string[] => {
  if (verdicts.length === 0) return [];
  return [
    "## Performance Claims",
    "",
    "| claim | claimed | by the plan | verdict | decided by | why | what it needs |",
    "|---|---:|---:|---|---|---|---|",
    ...verdicts.map(
      (verdict) =>
        `| ${verdict.label} | ${formatFigure(verdict.claimed)} | ` +
        `${verdict.found === undefined ? "–" : formatFigure(verdict.found)} | ${verdict.judgement} | ` +
        `${decidedBy(verdict) ?? "–"} | ${cell(verdict.reason)} | ` +
        `${cell(verdict.needs.map(needText).join("; ")) || "–"} |`,
    ),
    "",
    "What is untestable here, a run decides where the machine has the plan's GPUs: `shardbench compare`.",
    "",
  ];
};
