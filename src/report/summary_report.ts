// A run on one screen of 24 lines, its verdicts first; `run_report.ts` has all of it.

import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../result/result.ts";
import type { Report } from "./section.ts";
import { runOutcomeSection } from "./sections/outcome.ts";
import { planLine } from "./sections/plan_line.ts";
import { claimsSummary, limitsSection, summarySection } from "./sections/summary.ts";

export function summaryReport(plan: Plan, result: RunResult): Report {
  return {
    title: [planLine(plan)],
    sections: [
      runOutcomeSection(result),
      summarySection(result),
      claimsSummary(result),
      limitsSection(result),
    ],
  };
}
