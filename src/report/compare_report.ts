// The claims of a plan by a run that may be an earlier one.

import type { Verdict } from "../claims/verdict.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../result/result.ts";
import type { Report } from "./section.ts";
import { conditionsOfRun } from "./sections/adapters.ts";
import { runOutcomeSection } from "./sections/outcome.ts";
import { planLine } from "./sections/plan_line.ts";
import { verdictsSection } from "./sections/verdicts.ts";

export function compareReport(plan: Plan, result: RunResult, verdicts: readonly Verdict[]): Report {
  return {
    title: [planLine(plan)],
    intro: conditionsOfRun(result),
    sections: [{ blocks: verdictsSection(verdicts).blocks }, runOutcomeSection(result)],
  };
}
