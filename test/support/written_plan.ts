import { parsePlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";

/** A plan as its file reads, whether or not rules are broken. */
export function planOf(yaml: string): Plan {
  const { plan, diagnostics } = parsePlan(yaml, "plan.yaml");
  if (plan === undefined) throw new Error(JSON.stringify(diagnostics));
  return plan;
}
