// What a plan will cost.

import type { Plan } from "../plan/plan.ts";
import type { PlanEstimate } from "../program/estimate.ts";
import { paragraph, type Report } from "./section.ts";
import { boundSection } from "./sections/bound.ts";
import { collectiveCostSection } from "./sections/collective_cost.ts";
import { kernelCostSection } from "./sections/kernel_cost.ts";
import { layerCostSection } from "./sections/layer_cost.ts";
import { modelCostSection } from "./sections/model_cost.ts";
import { planLine } from "./sections/plan_line.ts";
import { rankCostSections } from "./sections/rank_cost.ts";

/**
 * @param peakSource where the peaks of the bound come from, in a phrase
 * @param leftOut what the model does and the program does not, in phrases
 */
export function estimateReport(
  plan: Plan,
  estimate: PlanEstimate,
  peakSource: string,
  leftOut: readonly string[] = [],
): Report {
  return {
    title: [planLine(plan)],
    intro: [
      paragraph(
        "Every figure is estimated: read from the program's instructions, nothing was run. " +
          "A step is the whole batch.",
        "faint",
      ),
    ],
    sections: [
      modelCostSection(estimate, leftOut),
      layerCostSection(estimate),
      kernelCostSection(estimate),
      collectiveCostSection(estimate),
      ...rankCostSections(plan, estimate),
      boundSection(plan, estimate, peakSource),
    ],
  };
}
