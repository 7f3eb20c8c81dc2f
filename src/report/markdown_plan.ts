// The whole analysis of a plan as Markdown. Every sentence is a rule's finding, named by its code, or a
// figure of the estimate; where neither says anything, neither does the report.

import { checkPlan, hasErrors } from "../check/check_plan.ts";
import type { Diagnostic } from "../plan/diagnostic.ts";
import type { PlanDocument } from "../plan/document.ts";
import { parsePlan } from "../plan/load.ts";
import type { Plan } from "../plan/plan.ts";
import { repairPlan, type RepairedPlan } from "../check/repair.ts";
import { isCountable } from "../program/countable.ts";
import { communicationCosts } from "../program/communication_cost.ts";
import { judgeClaims } from "../claims/judge.ts";
import type { Assessed } from "../check/aspects/aspect.ts";
import { assess, type Assessment } from "../check/aspects/assess.ts";
import { describePlan } from "../program/describe_plan.ts";
import { impactOf } from "./finding_impact.ts";
import { sectionOf, titleOf } from "../check/finding_titles.ts";
import { countOf } from "../measure/format.ts";
import { inertDiagnostic, inertMarkdown, inertPlan } from "./inert.ts";
import { aspectList, marks, marksExplained } from "./markdown_aspects.ts";
import { layoutSections } from "./markdown_layout.ts";
import { repairSection } from "./markdown_repair.ts";
import { sectionLines } from "./render/markdown.ts";
import { claimsOfAnalysis } from "./sections/claims.ts";
import type { Described } from "../program/describe_plan.ts";

interface Given {
  readonly plan?: Plan;
  readonly document: PlanDocument;
  readonly diagnostics: readonly Diagnostic[];
}

/** A refused plan that can be mended is analysed as it is once mended. */
export const planReport = (written: Given): string[] => {
  const given = inertGiven(written);
  const { document, diagnostics } = given;
  const repaired = hasErrors(diagnostics) ? repairPlan(document) : undefined;
  const subject = repaired === undefined ? given : mended(repaired, document.file);
  const { plan } = subject;
  const assessed =
    plan !== undefined && isCountable(subject.diagnostics)
      ? assessedPlan(plan, subject.diagnostics)
      : undefined;
  const aspects = assess(subject.diagnostics, plan, assessed);
  const name = plan?.name ?? inertMarkdown(document.file);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  return [
    `# Parallel Strategy Analysis Report: ${name}`,
    "",
    "Codes in brackets name the rule behind a sentence (`docs/diagnostics.md` explains them). Every figure " +
      "is estimated from the plan and its program; nothing was run.",
    "",
    "## Executive Summary",
    "",
    summaryOf(errors, repaired, subject.diagnostics),
    "",
    ...(errors.length === 0
      ? []
      : [
          "## Issues Found in the Original Plan",
          "",
          "### Critical Issues",
          "",
          ...errors.map((each, i) => `${i + 1}. **${titleOf(each)}**: ${sentenceOf(each)}`),
          "",
          ...(repaired === undefined ? [] : repairSection(document, repaired)),
        ]),
    ...compatibility(aspects, repaired !== undefined, (plan?.assumed ?? []).length > 0),
    ...assessment(aspects, subject, assessed?.described),
    ...(assessed === undefined
      ? []
      : [
          "## Detailed Analysis",
          "",
          ...layoutSections(assessed.described),
          ...sectionLines(claimsOfAnalysis(assessed.verdicts), 2),
        ]),
    ...conclusion(errors, repaired, subject.diagnostics, aspects),
  ];
};

const mended = ({ plan, text }: RepairedPlan, file: string): Given => {
  const { document } = parsePlan(text, file);
  return inertGiven({ plan, document, diagnostics: checkPlan(plan, document) });
};

const inertGiven = ({ plan, document, diagnostics }: Given): Given => ({
  ...(plan === undefined ? {} : { plan: inertPlan(plan) }),
  document,
  diagnostics: diagnostics.map(inertDiagnostic),
});

const ofSeverity = (
  diagnostics: readonly Diagnostic[],
  severity: Diagnostic["severity"],
): Diagnostic[] => diagnostics.filter((each) => each.severity === severity);

const summaryOf = (
  errors: readonly Diagnostic[],
  repaired: RepairedPlan | undefined,
  diagnostics: readonly Diagnostic[],
): string => {
  const warnings = countOf(ofSeverity(diagnostics, "warning").length, "warning");
  if (errors.length === 0) {
    return (
      "The parallel strategy has been validated and is **COMPATIBLE** with the hardware and the model's " +
      `parameters: no errors, ${warnings}.`
    );
  }
  const refused = `The parallel strategy as written is **NOT COMPATIBLE**: ${countOf(errors.length, "error")}.`;
  if (repaired === undefined) return `${refused} No repair is known.`;
  return hasErrors(diagnostics)
    ? `${refused} The repair below mends some of them.`
    : `${refused} The corrected plan below passes every rule, with ${warnings}; the analysis is of the corrected plan.`;
};

const sentenceOf = ({ message, hint, code, position }: Diagnostic): string =>
  `${message}${hint === undefined ? "" : ` → ${hint}`} [${placeOf(code, position)}]`;

const placeOf = (code: string, position: Diagnostic["position"]): string =>
  position === undefined ? `\`${code}\`` : `\`${code}\`, line ${position.line}`;

const assessedPlan = (plan: Plan, diagnostics: readonly Diagnostic[]): Assessed => {
  const described = describePlan(plan);
  const verdicts = judgeClaims({ plan, estimate: described.estimate });
  return { described, diagnostics, verdicts, communication: communicationCosts(plan) };
};

const compatibility = (
  { hardware, model }: Assessment,
  isCorrected: boolean,
  isAssuming: boolean,
): string[] => {
  const lists = [
    ...aspectList("Hardware Environment", hardware),
    ...aspectList("Model Parameters", model),
  ];
  return lists.length === 0
    ? []
    : [
        `## Compatibility Analysis${isCorrected ? " of the Corrected Plan" : ""}`,
        "",
        marksExplained(isAssuming),
        "",
        ...lists,
      ];
};

const assessment = (
  { performance }: Assessment,
  { plan, diagnostics }: Given,
  described: Described | undefined,
): string[] => {
  const findings = diagnostics.filter(({ severity }) => severity !== "info");
  const notes = ofSeverity(diagnostics, "info").filter(
    (each) => sectionOf(each) === "notes" && each.path[0] !== "optimizations",
  );
  return [
    "## Performance Optimization Assessment",
    "",
    ...aspectList("Line by Line", performance),
    ...(findings.length === 0
      ? []
      : [
          "### ⚠️ Optimization Opportunities",
          "",
          ...findings.flatMap((each, i) => [
            `${i + 1}. **${titleOf(each)}** [${placeOf(each.code, each.position)}]`,
            `   - **Issue**: ${each.message}`,
            `   - **Impact**: ${impactOf(each, described)}`,
            ...(each.hint === undefined ? [] : [`   - **Recommendation**: ${each.hint}`]),
          ]),
          "",
        ]),
    ...(notes.length === 0
      ? []
      : [
          "### Notes",
          "",
          ...notes.map(
            (each) =>
              `- **${titleOf(each)}**: ${each.message}${named(each, plan)} [\`${each.code}\`]`,
          ),
          "",
        ]),
  ];
};

/** The one place that names all assumed values. */
const named = ({ code }: Diagnostic, plan: Plan | undefined): string =>
  code === "values-assumed" && plan !== undefined ? `: ${plan.assumed.join(", ")}` : "";

const conclusion = (
  errors: readonly Diagnostic[],
  repaired: RepairedPlan | undefined,
  diagnostics: readonly Diagnostic[],
  aspects: Assessment,
): string[] => {
  const warnings = ofSeverity(diagnostics, "warning");
  const advice = [
    ...new Set(
      diagnostics.flatMap((each) =>
        each.severity === "info" || each.hint === undefined
          ? []
          : [`**${titleOf(each)}**: ${each.hint} [\`${each.code}\`]`],
      ),
    ),
  ];
  const isMended = errors.length > 0 && repaired !== undefined && !hasErrors(diagnostics);
  const sound = errors.length === 0 || isMended;
  return [
    ...(advice.length === 0
      ? []
      : [
          "## Recommendations for Improvement",
          "",
          ...advice.map((text, i) => `${i + 1}. ${text}`),
          "",
        ]),
    "## Conclusion",
    "",
    sound
      ? `The ${isMended ? "corrected plan" : "parallel strategy"} is **${
          warnings.length === 0 ? "SOUND" : "FUNDAMENTALLY SOUND"
        }** and **COMPATIBLE** with the hardware: no rule refuses it` +
        (warnings.length === 0
          ? "."
          : `, and ${warnings.length === 1 ? "one" : warnings.length} ask for adjustment: ${[
              ...new Set(warnings.map(titleOf)),
            ].join(", ")}.`) +
        contradictedAmong(aspects)
      : `The parallel strategy is **NOT COMPATIBLE**: ${countOf(errors.length, "error")} must be mended first.`,
    "",
    `**Status: ${statusOf(errors, isMended, warnings)}**`,
  ];
};

const contradictedAmong = ({ hardware, model, performance }: Assessment): string => {
  const titles = [...hardware, ...model, ...performance].flatMap(({ judgement, title }) =>
    judgement === "contradicted" ? [`${marks.contradicted} ${title}`] : [],
  );
  return titles.length === 0 ? "" : ` Line by line, ${titles.join(", ")}.`;
};

const statusOf = (
  errors: readonly Diagnostic[],
  isMended: boolean,
  warnings: readonly Diagnostic[],
): string => {
  if (isMended) return "INVALID as written, VALID once corrected";
  if (errors.length > 0) return "INVALID";
  return warnings.length === 0 ? "VALID" : "VALID with Optimizations Needed";
};
