// A plan file that is ready to run, or every reason why it is not.

import type { Diagnostic } from "../plan/diagnostic.ts";
import type { PlanDocument } from "../plan/document.ts";
import type { Plan } from "../plan/plan.ts";

/** The plan has errors. Exit code 1. */
export class BadPlan extends Error {
  override readonly name = "BadPlan";
  readonly diagnostics: readonly Diagnostic[];
  /** Present where the form is right. */
  readonly plan: Plan | undefined;

  constructor(file: string, diagnostics: readonly Diagnostic[], plan: Plan | undefined) {
    super(`${file} cannot run`);
    this.diagnostics = diagnostics;
    this.plan = plan;
  }
}

export interface Inspected {
  readonly plan?: Plan;
  readonly document: PlanDocument;
  readonly diagnostics: readonly Diagnostic[];
}

/** Everything that the form and the rules have to say about a file. */
export const inspectPlan = async (file: string): Promise<Inspected> => {
  const [{ readPlan }, { checkPlan }] = await Promise.all([
    import("../plan/load.ts"),
    import("../plan/check.ts"),
  ]);
  const { plan, document, diagnostics } = await readPlan(file);
  if (plan === undefined) return { document, diagnostics };
  return { plan, document, diagnostics: [...diagnostics, ...checkPlan(plan, document)] };
};

/** Throws `BadPlan` where there are errors. */
export const soundPlan = async (
  file: string,
): Promise<{ readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }> => {
  const { plan, diagnostics } = await inspectPlan(file);
  if (plan === undefined || diagnostics.some(({ severity }) => severity === "error")) {
    throw new BadPlan(file, diagnostics, plan);
  }
  return { plan, diagnostics };
};
