// Looks for a way from a plan with errors to one without: proposals of fixes, one after another, each
// kept only if its error is gone, backtracking where one leads nowhere. What comes out has passed the
// check.

import type { Diagnostic } from "../../plan/diagnostic.ts";
import { issueDiagnostics } from "../../plan/issues.ts";
import { normalise } from "../../plan/normalise.ts";
import type { Plan } from "../../plan/plan.ts";
import { planSchema } from "../../plan/schema.ts";
import { maxFaults } from "../../plan/syntax.ts";
import type { PlanEstimate } from "../../program/estimate.ts";
import { planErrors } from "../check_plan.ts";
import { definitionOf } from "../definitions.ts";
import type { Faulty, Proposal } from "./fix.ts";
import { patched } from "./patch.ts";

export interface SearchState extends Faulty {
  readonly errors: readonly Diagnostic[];
}

/** One proposal that was taken, and the errors that it removed. */
export interface SearchStep {
  readonly proposal: Proposal;
  readonly solved: readonly Diagnostic[];
}

export interface Solution {
  readonly steps: readonly SearchStep[];
  readonly value: unknown;
  readonly plan: Plan;
}

/** Checks left; shared by everything that one repair tries. */
export interface Budget {
  checks: number;
}

/** More faults than this at once are no slip. */
const maxSteps = 12;

/** @param known of the plan that the value is, where it was estimated before */
export function assessValue(value: unknown, known?: PlanEstimate): SearchState {
  const parsed = planSchema.safeParse(value);
  if (!parsed.success) {
    return {
      value,
      errors: parsed.error.issues
        .slice(0, maxFaults)
        .flatMap((issue) => issueDiagnostics(issue, value)),
    };
  }
  const written = parsed.data;
  const { plan, diagnostics } = normalise(written);
  if (plan === undefined) return { value, written, errors: diagnostics };
  const document = { file: "", text: "", format: "json", value, written } as const;
  const errors = [
    ...diagnostics.filter(({ severity }) => severity === "error"),
    ...planErrors(plan, document, known),
  ];
  return { value, written, plan, errors };
}

export function proposalsFor(state: SearchState, diagnostic: Diagnostic): readonly Proposal[] {
  return definitionOf(diagnostic)?.fix?.(state, diagnostic, diagnostic.found) ?? [];
}

/** The state after a proposal, where it removes the error and brings no more than it removes. */
export function after(
  state: SearchState,
  diagnostic: Diagnostic,
  proposal: Proposal,
  budget: Budget,
): { readonly state: SearchState; readonly step: SearchStep } | undefined {
  if (budget.checks <= 0) return undefined;
  budget.checks -= 1;
  const value = patched(state.value, proposal.patch);
  if (value === undefined) return undefined;
  const next = assessValue(value);
  const left = new Set(next.errors.map(identity));
  if (left.has(identity(diagnostic))) return undefined;
  // Rules speak only once the structure is right.
  const isStructureMended = state.plan === undefined && next.plan !== undefined;
  if (!isStructureMended && next.errors.length > state.errors.length) return undefined;
  const solved = state.errors.filter((error) => !left.has(identity(error)));
  return { state: next, step: { proposal, solved } };
}

function identity({ code, path, message }: Diagnostic): string {
  return JSON.stringify([code, path, message]);
}

/** Undefined where none is found. */
export function solve(state: SearchState, budget: Budget, depth = 0): Solution | undefined {
  if (state.errors.length === 0 && state.plan !== undefined) {
    return { steps: [], value: state.value, plan: state.plan };
  }
  if (depth === maxSteps) return undefined;
  for (const error of state.errors) {
    for (const proposal of proposalsFor(state, error)) {
      const taken = after(state, error, proposal, budget);
      if (taken === undefined) continue;
      const rest = solve(taken.state, budget, depth + 1);
      if (rest !== undefined) return { ...rest, steps: [taken.step, ...rest.steps] };
    }
  }
  return undefined;
}
