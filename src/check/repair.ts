// Mends a plan file: the smallest change after which it passes the check, as a text, as a JSON Patch, and
// with the other ways there are. Nothing is proposed that was not checked.

import type { PlanDocument } from "../plan/document.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanEstimate } from "../program/estimate.ts";
import { editText } from "./repair/edit_text.ts";
import type { PatchOperation, Proposal } from "./repair/fix.ts";
import {
  after,
  assessValue,
  type Budget,
  proposalsFor,
  type Solution,
  solve,
  type SearchState,
  type SearchStep,
} from "./repair/search.ts";

export interface Repair {
  /** Code of the rule that asked for it. */
  readonly rule: string;
  readonly description: string;
  /** What it means for who uses the plan. */
  readonly consequence: string;
  /** RFC 6902, on the plan as the repairs before left it. */
  readonly patch: readonly PatchOperation[];
}

/** Another way to a plan that passes; the first of them changes least. */
export interface Alternative {
  /** Code of the rule that it answers to. */
  readonly rule: string;
  readonly description: string;
  readonly consequence: string;
  /** RFC 6902, from the file as it is to the whole corrected plan. */
  readonly patch: readonly PatchOperation[];
  readonly text: string;
}

export interface RepairedPlan {
  readonly text: string;
  readonly plan: Plan;
  readonly repairs: readonly Repair[];
  /** RFC 6902, from the file as it is to the corrected plan. */
  readonly patch: readonly PatchOperation[];
  /** Ranked. */
  readonly alternatives: readonly Alternative[];
}

/** A plan with more errors is not repaired but written anew. */
const maxErrors = 40;

/** Checks of one repair; of a large plan fewer, since each takes longer. */
function checksFor({ plan }: SearchState): number {
  let places = 0;
  for (const { layers } of plan?.stages ?? []) {
    for (const { groups } of layers) for (const { length } of groups) places += length;
  }
  if (places > 10_000 || (plan?.hardware.gpus ?? 0) > 4096) return 6;
  return places > 1000 ? 20 : 150;
}

const maxAlternatives = 6;

/**
 * The document without its errors: JSON stays JSON, YAML keeps its comments. Undefined where there are no
 * errors, or where no known repair removes them all.
 * @param known of the document's plan, where it was estimated before
 */
export function repairPlan(document: PlanDocument, known?: PlanEstimate): RepairedPlan | undefined {
  if (document.value === undefined) return undefined;
  const start = assessValue(document.value, known);
  if (start.errors.length === 0 || start.errors.length > maxErrors) return undefined;
  const checks = checksFor(start);
  const solution = solve(start, { checks });
  if (solution === undefined) return undefined;
  const patch = patchOf(solution.steps);
  return {
    text: editText(document, patch),
    plan: solution.plan,
    repairs: solution.steps.flatMap(repairsOf),
    patch,
    alternatives: alternativesTo(solution, start, document, { checks }),
  };
}

function patchOf(steps: readonly SearchStep[]): PatchOperation[] {
  return steps.flatMap(({ proposal }) => proposal.patch);
}

function repairsOf({ proposal, solved }: SearchStep): Repair[] {
  return solved.map(({ code, message }) => ({
    rule: code,
    description: `${message}: ${proposal.description}`,
    consequence: proposal.consequence,
    patch: proposal.patch,
  }));
}

/** The first step of the solution, taken otherwise, and whatever must follow. */
function alternativesTo(
  solution: Solution,
  start: SearchState,
  document: PlanDocument,
  budget: Budget,
): Alternative[] {
  const known = new Set([JSON.stringify(solution.value)]);
  const found: Alternative[] = [];
  for (const error of start.errors) {
    for (const proposal of proposalsFor(start, error)) {
      if (found.length === maxAlternatives) return found;
      const taken = after(start, error, proposal, budget);
      const rest = taken && solve(taken.state, budget);
      if (taken === undefined || rest === undefined) continue;
      const key = JSON.stringify(rest.value);
      if (known.has(key)) continue;
      known.add(key);
      const steps = [taken.step, ...rest.steps];
      const patch = patchOf(steps);
      found.push({
        rule: error.code,
        ...wordsOf(steps.map((step) => step.proposal)),
        patch,
        text: editText(document, patch),
      });
    }
  }
  return found;
}

function wordsOf(proposals: readonly Proposal[]) {
  return {
    description: proposals.map(({ description }) => description).join("; "),
    consequence: proposals.map(({ consequence }) => consequence).join("; "),
  };
}
