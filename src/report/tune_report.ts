// What tuning found for each kernel of a plan.

import { countOf } from "../measure/format.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../result/result.ts";
import type { Report } from "./section.ts";
import { checkSection } from "./sections/check.ts";
import { kernelChoices, kernelNotices } from "./sections/kernel_choices.ts";
import { outcomeSection } from "./sections/outcome.ts";
import { planLine } from "./sections/plan_line.ts";

export function tuneReport(plan: Plan, result: RunResult): Report {
  const kept = result.kernels.filter(({ reason }) => reason === "tuned" || reason === "cached");
  return {
    title: [planLine(plan)],
    sections: [
      { blocks: kernelChoices(result).blocks },
      { blocks: [...kernelNotices(result).blocks, ...checkSection(result).blocks] },
      outcomeSection(result.outcome, `${countOf(kept.length, "kernel shape")} kept`),
    ],
  };
}
