// A plan file that is ready to run, or every reason why it is not.

import type { Diagnostic } from "../plan/diagnostic.ts";
import type { PlanDocument } from "../plan/document.ts";
import type { Plan } from "../plan/plan.ts";

/** The plan has errors. Exit code 1. */
export class BadPlan extends Error {
  override readonly name = "BadPlan";
  readonly diagnostics: readonly Diagnostic[];
  readonly document: PlanDocument;

  constructor(document: PlanDocument, diagnostics: readonly Diagnostic[]) {
    super(`${document.file} cannot run`);
    this.diagnostics = diagnostics;
    this.document = document;
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

/** What to do next about a plan with errors; nothing where no repair is known. */
export const repairAdvice = async (document: PlanDocument): Promise<string[]> => {
  const { repairPlan } = await import("../plan/repair.ts");
  if (repairPlan(document) === undefined) return [];
  return [`\`shardbench check ${document.file} --repair\` prints a corrected plan.`];
};

/** Throws `BadPlan` where there are errors. */
export const soundPlan = async (
  file: string,
): Promise<{ readonly plan: Plan; readonly diagnostics: readonly Diagnostic[] }> => {
  const { plan, document, diagnostics } = await inspectPlan(file);
  if (plan === undefined || diagnostics.some(({ severity }) => severity === "error")) {
    throw new BadPlan(document, diagnostics);
  }
  return { plan, diagnostics };
};
