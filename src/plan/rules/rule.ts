// What a rule is: a question to the plan, answered with diagnostics. Positions are added by `checkPlan`.

import type { Diagnostic, Severity } from "../diagnostic.ts";
import type { Path } from "../document.ts";
import type { Plan } from "../plan.ts";
import type { PlanFile } from "../schema.ts";

/**
 * Errors and warnings where the plan breaks the rule; an info where it keeps it and a reader wants to
 * know. `written` is the plan as its author wrote it; rules about wording need it, and are silent without.
 */
export type Rule = (plan: Plan, written?: PlanFile) => readonly Diagnostic[];

const saying =
  (severity: Severity) =>
  (code: string, path: Path, message: string, hint?: string): Diagnostic => ({
    code,
    severity,
    path,
    message,
    ...(hint === undefined ? {} : { hint }),
  });

export const error = saying("error");
export const warning = saying("warning");
export const info = saying("info");
