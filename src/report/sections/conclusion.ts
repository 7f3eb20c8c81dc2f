// Whether a plan is sound, in a paragraph before and after its analysis, and what to do about it.

import type { Assessment } from "../../check/aspects/assess.ts";
import { hasErrors } from "../../check/check_plan.ts";
import { titleOf } from "../../check/aspects/finding_titles.ts";
import { countOf } from "../../measure/format.ts";
import type { Diagnostic } from "../../plan/diagnostic.ts";
import {
  code,
  list,
  paragraph,
  strong,
  type Section,
  type TonedText,
  type Text,
} from "../section.ts";
import { marks } from "./aspects.ts";

export interface Concluded {
  /** Of the plan as written. */
  readonly errors: readonly Diagnostic[];
  readonly isRepaired: boolean;
  /** Of the plan once repaired, where that is possible. */
  readonly diagnostics: readonly Diagnostic[];
  readonly aspects: Assessment;
}

export function summarySection(concluded: Concluded): Section {
  return { title: "Executive Summary", blocks: [summaryOf(concluded)] };
}

function summaryOf({ errors, isRepaired, diagnostics }: Concluded): Text {
  const warnings = countOf(warningsAmong(diagnostics).length, "warning");
  if (errors.length === 0) {
    return paragraph([
      "The parallel strategy has been validated and is ",
      strong("COMPATIBLE"),
      ` with the hardware and the model's parameters: no errors, ${warnings}.`,
    ]);
  }
  const then = hasErrors(diagnostics)
    ? "The repair below mends some of them."
    : `The corrected plan below passes every rule, with ${warnings}; the analysis is of the corrected plan.`;
  return paragraph([
    "The parallel strategy as written is ",
    strong("NOT COMPATIBLE"),
    `: ${countOf(errors.length, "error")}. ${isRepaired ? then : "No repair is known."}`,
  ]);
}

export function conclusionSections(concluded: Concluded): Section[] {
  return [
    recommendationsSection(concluded.diagnostics),
    {
      title: "Conclusion",
      blocks: [
        paragraph(verdictOn(concluded)),
        paragraph(`Status: ${statusOf(concluded)}`, "strong"),
      ],
    },
  ];
}

function recommendationsSection(diagnostics: readonly Diagnostic[]): Section {
  const advice = new Map(
    diagnostics.flatMap((each): [string, TonedText[]][] => {
      if (each.severity === "info" || each.hint === undefined) return [];
      const spans = [strong(titleOf(each)), `: ${each.hint} [`, code(each.code), "]"];
      return [[JSON.stringify(spans), spans]];
    }),
  );
  return {
    title: "Recommendations for Improvement",
    blocks:
      advice.size === 0
        ? []
        : [
            list(
              [...advice.values()].map((spans) => ({ spans })),
              true,
            ),
          ],
  };
}

function verdictOn(concluded: Concluded): TonedText[] {
  const { errors, diagnostics, aspects } = concluded;
  const isMended = isMendedPlan(concluded);
  if (errors.length > 0 && !isMended) {
    return [
      "The parallel strategy is ",
      strong("NOT COMPATIBLE"),
      `: ${countOf(errors.length, "error")} must be mended first.`,
    ];
  }
  const warnings = warningsAmong(diagnostics);
  const titles = [...new Set(warnings.map(titleOf))].join(", ");
  const adjusted =
    warnings.length === 0
      ? "."
      : `, and ${warnings.length === 1 ? "one" : warnings.length} ask for adjustment: ${titles}.`;
  return [
    `The ${isMended ? "corrected plan" : "parallel strategy"} is `,
    strong(warnings.length === 0 ? "SOUND" : "FUNDAMENTALLY SOUND"),
    " and ",
    strong("COMPATIBLE"),
    ` with the hardware: no rule refuses it${adjusted}${contradictedAmong(aspects)}`,
  ];
}

function contradictedAmong({ hardware, model, performance }: Assessment): string {
  const titles = [...hardware, ...model, ...performance].flatMap(({ judgement, title }) =>
    judgement === "contradicted" ? [`${marks.contradicted} ${title}`] : [],
  );
  return titles.length === 0 ? "" : ` Line by line, ${titles.join(", ")}.`;
}

function statusOf(concluded: Concluded): string {
  if (isMendedPlan(concluded)) return "INVALID as written, VALID once corrected";
  if (concluded.errors.length > 0) return "INVALID";
  return warningsAmong(concluded.diagnostics).length === 0
    ? "VALID"
    : "VALID with Optimizations Needed";
}

function isMendedPlan({ errors, isRepaired, diagnostics }: Concluded): boolean {
  return errors.length > 0 && isRepaired && !hasErrors(diagnostics);
}

function warningsAmong(diagnostics: readonly Diagnostic[]): Diagnostic[] {
  return diagnostics.filter(({ severity }) => severity === "warning");
}
