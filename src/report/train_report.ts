// How the loss of a plan falls, step by step.

import type { Plan } from "../plan/plan.ts";
import { countOf } from "../measure/format.ts";
import { planLine } from "./sections/plan_line.ts";
import { note, type Report, right, table } from "./section.ts";

interface Step {
  readonly step: number;
  readonly loss: number;
  readonly gradientNorm: number;
}

/** Of more steps some in between are left out. */
const mostRows = 20;

export function trainReport(plan: Plan, steps: readonly Step[]): Report {
  const every = Math.ceil(steps.length / mostRows);
  const shown = steps.filter((_, i) => i % every === 0 || i === steps.length - 1);
  const batches = plan.workload.data === undefined ? "the same batch" : "batches of a data set";
  return {
    title: [planLine(plan)],
    sections: [
      {
        title: "Training",
        blocks: [
          table(
            right("step", "loss", "gradient norm"),
            shown.map(({ step, loss, gradientNorm }) => ({
              cells: [String(step), loss.toPrecision(6), gradientNorm.toPrecision(4)],
            })),
          ),
          note(
            `measured, ${countOf(steps.length, "step")} on ${batches}; loss and gradients of the first ` +
              "checked. The loss is that of the weights before the step, the norm that before clipping",
          ),
        ],
      },
    ],
  };
}
