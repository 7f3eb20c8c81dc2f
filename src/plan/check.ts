// Every rule over a plan: all that is wrong with it, and what a reader wants confirmed, at once.

import type { Diagnostic } from "./diagnostic.ts";
import type { PlanDocument } from "./document.ts";
import { byPosition, withPosition } from "./load.ts";
import type { Plan } from "./plan.ts";
import { type AdapterLimits, buffersFitAdapter } from "./rules/adapter_limits.ts";
import { rules } from "./rules/all.ts";
import type { Rule } from "./rules/rule.ts";

export interface CheckOptions {
  /** Of the adapter that the plan is to run on: its buffers are then held against them. */
  readonly adapter?: AdapterLimits;
}

/**
 * Errors, warnings and confirmations, each with its place in the file if `document` is the text that the
 * plan was read from. A plan may run when none of them is an error.
 */
export const checkPlan = (
  plan: Plan,
  document?: PlanDocument,
  { adapter }: CheckOptions = {},
): Diagnostic[] => {
  const asked: readonly Rule[] =
    adapter === undefined ? rules : [...rules, () => buffersFitAdapter(plan, adapter)];
  const seen = new Set<string>();
  const found: Diagnostic[] = [];
  for (const rule of asked) {
    for (const diagnostic of rule(plan, document?.written)) {
      // Layers that follow from degrees are alike, and so are their faults.
      const key = JSON.stringify([diagnostic.code, diagnostic.path, diagnostic.message]);
      if (seen.has(key)) continue;
      seen.add(key);
      found.push(document === undefined ? diagnostic : withPosition(diagnostic, document));
    }
  }
  const rank = { error: 0, warning: 1, info: 2 };
  return found.toSorted((a, b) => rank[a.severity] - rank[b.severity] || byPosition(a, b));
};

export const hasErrors = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.some(({ severity }) => severity === "error");
