// A plan file that is ready to run, or every reason why it is not.

import type { Verdict } from "../claims/verdict.ts";
import type { Diagnostic } from "../plan/diagnostic.ts";
import type { PlanDocument } from "../plan/document.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanFile } from "../plan/schema.ts";
import type { PlanEstimate } from "../program/estimate.ts";

/** The plan has errors. Exit code 1. */
export class BadPlan extends Error {
  override readonly name = "BadPlan";
  readonly diagnostics: readonly Diagnostic[];
  readonly document: PlanDocument;
  /** Where the plan was estimated all the same. */
  readonly estimate?: PlanEstimate;

  constructor({ document, diagnostics, estimate }: Inspected) {
    super(`${document.file} cannot run`);
    this.diagnostics = diagnostics;
    this.document = document;
    if (estimate !== undefined) this.estimate = estimate;
  }
}

export interface Inspected {
  readonly plan?: Plan;
  readonly document: PlanDocument;
  readonly diagnostics: readonly Diagnostic[];
  /** Absent where the plan has no meaning that can be counted, and so are the verdicts. */
  readonly estimate?: PlanEstimate;
  /** On its claims, without a run. */
  readonly verdicts?: readonly Verdict[];
}

/**
 * Everything that the reading and the rules have to say about a file.
 *
 * @param adapt what is to be run of the plan, where that is another workload
 */
export async function inspectPlan(
  file: string,
  adapt: (plan: Plan) => Plan = (plan) => plan,
): Promise<Inspected> {
  const [{ readPlan }, check] = await Promise.all([
    import("../plan/load.ts"),
    import("../check/check_plan.ts"),
  ]);
  const { plan: asWritten, document, diagnostics } = await readPlan(file);
  if (asWritten === undefined) return { document, diagnostics };
  const plan = adapt(asWritten);
  const checked = check.inspect(plan, document);
  return { plan, document, ...checked, diagnostics: [...diagnostics, ...checked.diagnostics] };
}

/** What to do next about a plan with errors; nothing where no repair is known. */
export async function repairAdvice({
  document,
  estimate,
}: Pick<Inspected, "document" | "estimate">): Promise<string[]> {
  const { repairPlan } = await import("../check/repair.ts");
  if (repairPlan(document, estimate) === undefined) return [];
  return [`\`shardbench check ${document.file} --repair\` prints a corrected plan.`];
}

export interface SoundPlan {
  readonly plan: Plan;
  /** Before it was adapted. */
  readonly written: PlanFile;
  readonly diagnostics: readonly Diagnostic[];
}

/** Throws `BadPlan` where there are errors, or layers that do not run here: for a run these are errors too. */
export async function soundPlan(file: string, adapt?: (plan: Plan) => Plan): Promise<SoundPlan> {
  const inspected = await inspectPlan(file, adapt);
  const { isAboutRunning } = await import("../check/rules/sizes/layer_not_runnable.ts");
  const diagnostics = inspected.diagnostics.map((each): Diagnostic =>
    isAboutRunning(each) ? { ...each, severity: "error" } : each,
  );
  const { plan, document } = inspected;
  const { written } = document;
  if (
    plan === undefined ||
    written === undefined ||
    diagnostics.some(({ severity }) => severity === "error")
  ) {
    throw new BadPlan({ ...inspected, diagnostics });
  }
  return { plan, written, diagnostics };
}
