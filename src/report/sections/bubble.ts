// The bubble of a pipeline: what it is and why.

import type { BubbleMetrics } from "../../measure/bubble_metrics.ts";
import { formatPercent } from "../../measure/format.ts";
import type { Plan } from "../../plan/plan.ts";
import { predictedBubble, scheduleOf, scheduleTitle } from "../../program/schedule/schedule.ts";
import { left, note, right, table, type Section } from "../section.ts";

const parts = ["schedule", "imbalance", "communication", "host", "unexplained"] as const;

/** A row per way in which it was found, such as measured or projected. */
export function bubbleSection(
  plan: Plan,
  bubbles: readonly (BubbleMetrics | undefined)[],
): Section {
  const title = "Bubble of the pipeline, % of the ranks' time";
  const schedule = scheduleOf(plan);
  const found = bubbles.flatMap((each) => each ?? []);
  if (schedule === undefined || found.length === 0) return { title, blocks: [] };
  const { overIdeal, overIdealFormula, ofTotalFormula } = predictedBubble(schedule);
  return {
    title,
    blocks: [
      table(
        [
          ...left(""),
          ...right("bubble", "= schedule", "+ imbalance", "+ comm", "+ host", "+ unexpl."),
        ],
        found.map((bubble) => ({
          cells: [
            bubble.measured.provenance,
            percent(bubble.measured.value),
            ...parts.map((part) => percent(bubble[part].value)),
          ],
        })),
      ),
      note(
        `${scheduleTitle(schedule)}. Time of all ranks in which no kernel of the model runs; schedule: ` +
          `${ofTotalFormula} of all time, which is ${overIdealFormula} = ${formatPercent(overIdeal)} of ` +
          `the work; the other columns: what the step takes longer when played again from its own ` +
          "times, with uneven computing, with communication, with the host's work; unexpl.: the rest" +
          (schedule.name === "forward" || plan.workload.optimizer !== undefined
            ? ""
            : ". Backward slots are synthetic"),
      ),
    ],
  };
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}
