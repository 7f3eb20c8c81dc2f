// All that is said of a plan before it runs: every rule of the plan itself; then, where it has a meaning, what its
// program costs and what becomes of its claims.

import { judgeClaims } from "../claims/judge.ts";
import type { Verdict } from "../claims/verdict.ts";
import type { Diagnostic } from "../plan/diagnostic.ts";
import type { PlanDocument } from "../plan/document.ts";
import { byPosition, withPosition } from "../plan/load.ts";
import type { Plan } from "../plan/plan.ts";
import { isCountable } from "../program/countable.ts";
import { estimatePlan, type PlanEstimate } from "../program/estimate.ts";
import type { AdapterLimits } from "./example.ts";
import type { RuleDefinition } from "./rule.ts";
import { rules } from "./rules/all.ts";
import { isAboutRunning } from "./rules/sizes/layer_not_runnable.ts";

export interface CheckOptions {
  /** Of the adapter that the plan is to run on: its buffers are then held against them. */
  readonly adapter?: AdapterLimits;
}

export interface CheckedPlan {
  readonly diagnostics: readonly Diagnostic[];
  /** Absent where the plan has no meaning that can be counted, and so are the verdicts. */
  readonly estimate?: PlanEstimate;
  /** On its claims, without a run. */
  readonly verdicts?: readonly Verdict[];
}

/**
 * Errors, warnings and confirmations, each with its place in the file if `document` is the text that the
 * plan was read from. A plan is sound when none of them is an error; `canRun` says whether it runs here.
 */
export function inspect(
  plan: Plan,
  document?: PlanDocument,
  { adapter }: CheckOptions = {},
): CheckedPlan {
  const ofPlan = askedOfPlan(rules, plan, document);
  if (!isCountable(ofPlan)) return { diagnostics: inOrder(ofPlan, document) };
  const estimate = estimatePlan(plan);
  const verdicts = judgeClaims({ plan, estimate });
  const found = [
    ...ofPlan,
    ...askedOfProgram(rules, plan, estimate),
    ...rules.flatMap((rule) => rule.ofClaims?.(verdicts) ?? []),
    ...(adapter === undefined
      ? []
      : rules.flatMap((rule) => rule.ofAdapter?.(plan, adapter) ?? [])),
  ];
  return { diagnostics: inOrder(found, document), estimate, verdicts };
}

export function checkPlan(
  plan: Plan,
  document?: PlanDocument,
  options: CheckOptions = {},
): Diagnostic[] {
  return [...inspect(plan, document, options).diagnostics];
}

/**
 * The errors among them: for who tries many plans.
 * @param known the plan's own, where it was estimated before
 */
export function planErrors(plan: Plan, document: PlanDocument, known?: PlanEstimate): Diagnostic[] {
  const ofPlan = askedOfPlan(rulesThatRefuse, plan, document);
  const ofProgram = rulesThatRefuse.filter(
    (rule) => rule.ofProgram !== undefined && rule.mayRefuseProgram?.(plan) !== false,
  );
  const found =
    ofProgram.length > 0 && isCountable(ofPlan)
      ? [...ofPlan, ...askedOfProgram(ofProgram, plan, known ?? estimatePlan(plan))]
      : ofPlan;
  return inOrder(found, document).filter(({ severity }) => severity === "error");
}

const rulesThatRefuse = rules.filter(({ diagnostics }) =>
  diagnostics.some(({ severity }) => severity === "error"),
);

function askedOfPlan(
  asked: readonly RuleDefinition[],
  plan: Plan,
  document: PlanDocument | undefined,
): readonly Diagnostic[] {
  return asked.flatMap((rule) => rule.ofPlan?.(plan, document?.written) ?? []);
}

function askedOfProgram(
  asked: readonly RuleDefinition[],
  plan: Plan,
  estimate: PlanEstimate,
): readonly Diagnostic[] {
  return asked.flatMap((rule) => rule.ofProgram?.(plan, estimate) ?? []);
}

/** The gravest first, then as a reader of the file meets them; layers that follow from degrees are alike, and said once. */
function inOrder(
  diagnostics: readonly Diagnostic[],
  document: PlanDocument | undefined,
): Diagnostic[] {
  const distinct = new Map(
    diagnostics.map((each) => [JSON.stringify([each.code, each.path, each.message]), each]),
  );
  const placed = [...distinct.values()].map((each) =>
    document === undefined ? each : withPosition(each, document),
  );
  const rank = { error: 0, warning: 1, info: 2 };
  return placed.toSorted((a, b) => rank[a.severity] - rank[b.severity] || byPosition(a, b));
}

/** Sound, and every layer of it runs here. */
export function canRun(diagnostics: readonly Diagnostic[]): boolean {
  return !hasErrors(diagnostics) && !diagnostics.some(isAboutRunning);
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}
