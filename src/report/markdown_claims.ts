// The claims of a plan and what can be said of them before anything runs.

import type { Diagnostic } from "../plan/diagnostic.ts";
import { judgeClaims } from "../claims/judge.ts";
import { decidedBy } from "../claims/verdict.ts";
import { sectionOf, titleOf } from "./finding_titles.ts";
import { formatFigure } from "./format.ts";
import { needText } from "./need.ts";
import type { Described } from "./terminal_describe.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|");

export const claimSection = (
  { plan, estimate }: Described,
  diagnostics: readonly Diagnostic[],
): string[] => {
  const verdicts = judgeClaims({ plan, estimate });
  if (verdicts.length === 0) return [];
  const held = diagnostics.filter(
    (each) => each.severity === "info" && sectionOf(each) === "claims",
  );
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
    ...held.map((each) => `- **${titleOf(each)}**: ${each.message} ✓ [\`${each.code}\`]`),
    ...(held.length === 0 ? [] : [""]),
    "What is untestable here, a run decides where the machine has the plan's GPUs: `shardbench compare`.",
    "",
  ];
};
