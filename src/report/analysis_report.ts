// The whole analysis of a plan. Every sentence is a rule's finding, named by its code, or a figure of the estimate;
// where neither says anything, neither does the report.

import type { Assessed } from "../check/aspects/aspect.ts";
import { assess, type Assessment } from "../check/aspects/assess.ts";
import { checkPlan, hasErrors } from "../check/check_plan.ts";
import { repairPlan, type RepairedPlan } from "../check/repair.ts";
import { judgeClaims } from "../claims/judge.ts";
import type { Diagnostic } from "../plan/diagnostic.ts";
import type { PlanDocument } from "../plan/document.ts";
import { parsePlan } from "../plan/load.ts";
import type { Plan } from "../plan/plan.ts";
import { communicationCosts } from "../program/communication_cost.ts";
import { isCountable } from "../program/countable.ts";
import { describePlan } from "../program/describe_plan.ts";
import { code, paragraph, type Report, type Section } from "./section.ts";
import { aspectsSection, marksExplained } from "./sections/aspects.ts";
import { claimsOfAnalysis } from "./sections/claims.ts";
import { conclusionSections, summarySection, type Concluded } from "./sections/conclusion.ts";
import { issuesSection, notesSection, opportunitiesSection } from "./sections/issues.ts";
import { layoutSections } from "./sections/layout.ts";
import { repairSections } from "./sections/repair.ts";

interface Given {
  readonly plan?: Plan;
  readonly document: PlanDocument;
  readonly diagnostics: readonly Diagnostic[];
}

/** A refused plan that can be mended is analysed as it is once mended. */
export function analysisReport(given: Given): Report {
  const { document, diagnostics } = given;
  const repaired = hasErrors(diagnostics) ? repairPlan(document) : undefined;
  const subject = repaired === undefined ? given : mended(repaired, document.file);
  const { plan } = subject;
  const assessed =
    plan !== undefined && isCountable(subject.diagnostics)
      ? assessedPlan(plan, subject.diagnostics)
      : undefined;
  const aspects = assess(subject.diagnostics, plan, assessed);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const concluded: Concluded = {
    errors,
    isRepaired: repaired !== undefined,
    diagnostics: subject.diagnostics,
    aspects,
  };
  return {
    title: [`Parallel Strategy Analysis Report: ${plan?.name ?? document.file}`],
    intro: [
      paragraph([
        "Codes in brackets name the rule behind a sentence (",
        code("docs/diagnostics.md"),
        " explains them). Every figure is estimated from the plan and its program; nothing was run.",
      ]),
    ],
    sections: [
      summarySection(concluded),
      {
        title: "Issues Found in the Original Plan",
        blocks: [],
        parts: [
          issuesSection(errors),
          ...(repaired === undefined ? [] : repairSections(document, repaired)),
        ],
      },
      compatibilitySection(aspects, repaired !== undefined, (plan?.assumed ?? []).length > 0),
      {
        title: "Performance Optimization Assessment",
        blocks: [],
        parts: [
          aspectsSection("Line by Line", aspects.performance),
          opportunitiesSection(subject.diagnostics, assessed?.described),
          notesSection(subject.diagnostics, plan),
        ],
      },
      ...(assessed === undefined
        ? []
        : [
            {
              title: "Detailed Analysis",
              blocks: [],
              parts: layoutSections(assessed.described),
            },
            claimsOfAnalysis(assessed.verdicts),
          ]),
      ...conclusionSections(concluded),
    ],
  };
}

function mended({ plan, text }: RepairedPlan, file: string): Given {
  const { document } = parsePlan(text, file);
  return { plan, document, diagnostics: checkPlan(plan, document) };
}

function assessedPlan(plan: Plan, diagnostics: readonly Diagnostic[]): Assessed {
  const described = describePlan(plan);
  const verdicts = judgeClaims({ plan, estimate: described.estimate });
  return { described, diagnostics, verdicts, communication: communicationCosts(plan) };
}

function compatibilitySection(
  { hardware, model }: Assessment,
  isCorrected: boolean,
  isAssuming: boolean,
): Section {
  const isKnown = hardware.length + model.length > 0;
  return {
    title: `Compatibility Analysis${isCorrected ? " of the Corrected Plan" : ""}`,
    blocks: isKnown ? [marksExplained(isAssuming)] : [],
    parts: [
      aspectsSection("Hardware Environment", hardware),
      aspectsSection("Model Parameters", model),
    ],
  };
}
