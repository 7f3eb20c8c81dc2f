// What rules found in a plan, for whoever is to mend it.

import { valuesAssumed } from "../../check/rules/claims/values_assumed.ts";
import { sectionOf, titleOf } from "../../check/aspects/finding_titles.ts";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Described } from "../../program/describe_plan.ts";
import { code, list, strong, type Section, type TonedText } from "../section.ts";
import { impactOf } from "./finding_impact.ts";

export function issuesSection(errors: readonly Diagnostic[]): Section {
  const items = errors.map((each) => ({
    spans: [
      strong(titleOf(each)),
      `: ${each.message}${each.hint === undefined ? "" : ` → ${each.hint}`} [`,
      ...placeOf(each),
      "]",
    ],
  }));
  return { title: "Critical Issues", blocks: items.length === 0 ? [] : [list(items, true)] };
}

/** @param described absent where the plan cannot be counted */
export function opportunitiesSection(
  diagnostics: readonly Diagnostic[],
  described: Described | undefined,
): Section {
  const items = diagnostics
    .filter(({ severity }) => severity !== "info")
    .map((each) => ({
      spans: [strong(titleOf(each)), " [", ...placeOf(each), "]"],
      items: [
        { spans: [strong("Issue"), `: ${each.message}`] },
        { spans: [strong("Impact"), `: ${impactOf(each, described)}`] },
        ...(each.hint === undefined
          ? []
          : [{ spans: [strong("Recommendation"), `: ${each.hint}`] }]),
      ],
    }));
  return {
    title: "⚠️ Optimization Opportunities",
    blocks: items.length === 0 ? [] : [list(items, true)],
  };
}

/** @param plan absent where the file is none */
export function notesSection(diagnostics: readonly Diagnostic[], plan: Plan | undefined): Section {
  const items = diagnostics
    .filter(
      (each) =>
        each.severity === "info" && sectionOf(each) === "notes" && each.path[0] !== "optimizations",
    )
    .map((each) => ({
      spans: [
        strong(titleOf(each)),
        `: ${each.message}${assumedBy(each, plan)} [`,
        code(each.code),
        "]",
      ],
    }));
  return { title: "Notes", blocks: items.length === 0 ? [] : [list(items)] };
}

function placeOf({ code: rule, position }: Diagnostic): TonedText[] {
  return [code(rule), ...(position === undefined ? [] : [`, line ${position.line}`])];
}

/** The one place that names all assumed values. */
function assumedBy({ code: rule }: Diagnostic, plan: Plan | undefined): string {
  return rule === valuesAssumed.code && plan !== undefined ? `: ${plan.assumed.join(", ")}` : "";
}
