// The bubble of a pipeline, on a terminal: what it is and why.

import type { BubbleMetrics } from "../measure/bubble_metrics.ts";
import type { Plan } from "../plan/plan.ts";
import { predictedBubble, scheduleOf, scheduleTitle } from "../program/schedule/schedule.ts";
import type { Colours } from "./colour.ts";
import { formatPercent } from "../measure/format.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrapIndented } from "./text_width.ts";

/** A row per way in which it was found, such as measured or projected. */
export const bubbleLines = (
  plan: Plan,
  bubbles: readonly (BubbleMetrics | undefined)[],
  colours: Colours,
): string[] => {
  const schedule = scheduleOf(plan);
  const found = bubbles.flatMap((each) => each ?? []);
  if (schedule === undefined || found.length === 0) return [];
  const { overIdeal, overIdealFormula, ofTotalFormula } = predictedBubble(schedule);
  const parts = ["schedule", "imbalance", "communication", "host", "unexplained"] as const;
  return [
    ...table(
      [
        { title: "", align: "left" },
        { title: "bubble" },
        { title: "= schedule" },
        { title: "+ imbalance" },
        { title: "+ comm" },
        { title: "+ host" },
        { title: "+ unexpl." },
      ],
      found.map((bubble) => ({
        cells: [
          bubble.measured.provenance,
          percent(bubble.measured.value),
          ...parts.map((part) => percent(bubble[part].value)),
        ],
      })),
      colours,
    ),
    ...wrapIndented(
      `${scheduleTitle(schedule)}. Time of all ranks in which no kernel of the model runs; schedule: ` +
        `${ofTotalFormula} of all time, which is ${overIdealFormula} = ${formatPercent(overIdeal)} of ` +
        `the work; the other columns: what the step takes longer when played again from its own ` +
        "times, with uneven computing, with communication, with the host's work; unexpl.: the rest" +
        (schedule.name === "forward" ? "" : ". Backward slots hold stand-ins"),
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};

const percent = (share: number): string => (share * 100).toFixed(1);
