// The claims of a plan and what can be said of them before anything runs.

import type { Diagnostic } from "../plan/diagnostic.ts";
import { comparePlan } from "./compare.ts";
import { sectionOf, titleOf } from "./finding_titles.ts";
import { formatFigure } from "./format.ts";
import type { Described } from "./terminal_describe.ts";

export const claimSection = (
  { plan, estimate }: Described,
  diagnostics: readonly Diagnostic[],
): string[] => {
  const verdicts = comparePlan(plan, estimate);
  if (verdicts.length === 0) return [];
  const held = diagnostics.filter(
    (each) => each.severity === "info" && sectionOf(each) === "claims",
  );
  return [
    "## Performance Claims",
    "",
    "| claim | claimed | found | verdict | why |",
    "|---|---:|---:|---|---|",
    ...verdicts.map(
      ({ label, claimed, found, judgement, reason }) =>
        `| ${label} | ${formatFigure(claimed)} | ${found === undefined ? "–" : formatFigure(found)} | ` +
        `${judgement} | ${reason.replaceAll("|", "\\|")} |`,
    ),
    "",
    ...held.map((each) => `- **${titleOf(each)}**: ${each.message} ✓ [\`${each.code}\`]`),
    ...(held.length === 0 ? [] : [""]),
    "What is untestable here, a run decides: `shardbench compare`.",
    "",
  ];
};
