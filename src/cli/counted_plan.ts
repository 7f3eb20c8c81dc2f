// A plan that can be counted and drawn: it may be one that no machine here can run.

import type { Diagnostic } from "../plan/diagnostic.ts";
import type { Plan } from "../plan/plan.ts";
import { BadPlan, inspectPlan, type Inspected } from "./bad_plan.ts";

export interface CountedPlan extends Inspected {
  readonly plan: Plan;
}

/** Throws `BadPlan` where the plan has no meaning: what its GPUs hold or do is contradictory. */
export const countedPlan = async (file: string): Promise<CountedPlan> => {
  const inspected = await inspectPlan(file);
  const { plan, document, diagnostics } = inspected;
  if (plan === undefined || !canBeCounted(diagnostics)) throw new BadPlan(document, diagnostics);
  return { ...inspected, plan };
};

export const canBeCounted = (diagnostics: readonly Diagnostic[]): boolean =>
  diagnostics.every((each) => each.severity !== "error" || isBesideTheProgram(each));

/** Errors that leave the program as it is: it does not fit, it cannot run here, it does not keep claims. */
const isBesideTheProgram = ({ code, path }: Diagnostic): boolean =>
  code === "layer-not-runnable" ||
  path[0] === "claims" ||
  (path[0] === "hardware" && path[1] === "memoryPerGpu");
