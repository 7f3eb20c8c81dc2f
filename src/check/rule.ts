// What a rule is: a question to a plan, the codes of its answers, and all that is said of each code. A rule is one
// file; the check, docs/diagnostics.md, repairs and reports read the definitions in it.

import type { Verdict } from "../claims/verdict.ts";
import type { Diagnostic, Severity } from "../plan/diagnostic.ts";
import type { Path } from "../plan/document.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { PlanEstimate } from "../program/estimate.ts";
import type { AdapterLimits, Examples } from "./example.ts";
import type { Faulty, Proposal } from "./repair/fix.ts";

/** Of docs/diagnostics.md. Rules of structure are those that the reading of the file asks. */
export type Chapter = "structure" | "splits" | "sizes" | "claims";

/** Where an analysis of a plan puts a finding. */
export type AnalysisPart = "hardware" | "model" | "strengths" | "claims" | "notes";

/** The figures of a plan that tell what a finding costs. */
export type Impact = "memory" | "load balance" | "load of one replica" | "utilization";

/** `Found` is the data that a diagnostic of this code carries for its fix. */
export interface DiagnosticDefinition<Found = undefined> {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly severity: Severity;
  /** As a heading of an analysis. */
  readonly title: string;
  /** What must hold, in a sentence; of an info, what it confirms. */
  readonly requires: string;
  readonly examples: Examples;
  /** Absent where the first key of the diagnostic's path tells. */
  readonly section?: AnalysisPart;
  /** Absent where no figure of the plan says more than the finding. */
  readonly impact?: Impact;
  /** What an info leans on, beside the value that it is about, as paths of the plan. */
  readonly leansOn?: readonly string[];
  /** What an info leaves open, as the end of its sentence. */
  readonly leavesOpen?: string;
  /** Ways out, the one that changes least first. */
  fix?(faulty: Faulty, diagnostic: Diagnostic, found: Found): readonly Proposal[];
}

/**
 * Errors and warnings where the plan breaks the rule; an info where it keeps it and a reader wants to know. A rule
 * without a question is asked while the file is read, in src/plan, and only its codes are defined here.
 */
export interface RuleDefinition {
  readonly chapter: Chapter;
  readonly diagnostics: readonly DiagnosticDefinition<unknown>[];
  /** `written` is the plan as its author wrote it; rules about wording need it, and are silent without. */
  readonly ofPlan?: (plan: Plan, written?: PlanFile) => readonly Diagnostic[];
  /** Asked where the plan has a program that can be counted. */
  readonly ofProgram?: (plan: Plan, estimate: PlanEstimate) => readonly Diagnostic[];
  /** False for plans of which `ofProgram` has nothing to refuse, whatever their program is. */
  readonly mayRefuseProgram?: (plan: Plan) => boolean;
  /** Asked of what became of the claims without a run. */
  readonly ofClaims?: (verdicts: readonly Verdict[]) => readonly Diagnostic[];
  /** Asked where an adapter to run on is given. */
  readonly ofAdapter?: (plan: Plan, limits: AdapterLimits) => readonly Diagnostic[];
}

/** A diagnostic of that code. Its position is added by the check. */
export function report<Found = undefined>(
  { code, severity }: DiagnosticDefinition<Found>,
  path: Path,
  message: string,
  hint?: string,
  ...[found]: Found extends undefined ? [] : [found: Found]
): Diagnostic {
  return {
    code,
    severity,
    path,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(found === undefined ? {} : { found }),
  };
}
