// Two results of the same work: which is faster, and which kernels and collectives explain it.

import {
  communicationDifferences,
  type Difference,
  type DifferenceOfPart,
  kernelDifferences,
  sameWithin,
  timeDifference,
} from "../measure/difference.ts";
import { formatFigure, formatNumber, formatPercent, samplesOf } from "../measure/format.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../result/result.ts";
import {
  drawing,
  left,
  note,
  paragraph,
  right,
  table,
  type Drawing,
  type Report,
  type Section,
  type TonedText,
} from "./section.ts";
import { conditionsOfRun } from "./sections/adapters.ts";
import { planLine } from "./sections/plan_line.ts";
import { moreLines } from "./sections/more_lines.ts";

const mostRows = 12;

export function diffReport(plan: Plan, before: RunResult, after: RunResult): Report {
  return {
    title: [planLine(plan)],
    sections: [
      stepSection(before, after),
      { title: "Samples", blocks: samplesBlocks(before, after) },
      partsSection(
        "Kernels",
        "kernel",
        kernelDifferences(before.metrics, after.metrics),
        "of one call; more: of all calls of a step, over all ranks",
      ),
      partsSection(
        "Communication",
        "layer",
        communicationDifferences(before.metrics, after.metrics),
        "of a step, on the rank on which it takes longest, while that computes nothing",
      ),
      { title: "Before", blocks: conditionsOfRun(before) },
      { title: "After", blocks: conditionsOfRun(after) },
    ],
  };
}

function stepSection({ metrics: before }: RunResult, { metrics: after }: RunResult): Section {
  if (before.stepMs === undefined || after.stepMs === undefined) return { blocks: [] };
  const step = timeDifference(before.stepMs, after.stepMs);
  return {
    blocks: [
      paragraph(["The step is ", changeText(step), `: ${ratioText(step)} of the time before.`]),
      table(
        [...left(""), ...right("before", "after", "after ÷ before", "95 % within"), ...left("")],
        [{ cells: ["step", ...cellsOf(step)] }],
      ),
      note(
        `${samplesOf(before.stepMs)}, then ${samplesOf(after.stepMs)}; same: the interval of the ratio is within ` +
          `${formatPercent(sameWithin)} of 1; ambiguous: it leaves open which took longer. More \`--runs\` make it narrower.`,
      ),
    ],
  };
}

function samplesBlocks(before: RunResult, after: RunResult): Drawing[] {
  const runs = [before, after].map(({ samples }) => samples.map(({ wallMs }) => wallMs));
  return [
    drawing("Every timed step of both", { form: "samples", runs, names: ["before", "after"] }),
  ];
}

function partsSection(
  title: string,
  what: string,
  parts: readonly DifferenceOfPart[],
  explanation: string,
): Section {
  if (parts.length === 0) return { title, blocks: [] };
  return {
    title,
    blocks: [
      table(
        [
          ...left(what),
          ...right("before", "after", "ratio", "95 % within"),
          ...left(""),
          ...right("more"),
        ],
        parts
          .slice(0, mostRows)
          .map((part) => ({ cells: [part.name, ...cellsOf(part), `${signed(part.moreMs)} ms`] })),
      ),
      note(`${explanation}${moreLines(parts.length, mostRows)}`),
    ],
  };
}

function cellsOf(difference: Difference): TonedText[] {
  const { before, after, interval } = difference;
  return [
    formatFigure(before),
    formatFigure(after),
    ratioText(difference),
    interval === undefined ? "–" : interval.map(formatNumber).join(" … "),
    changeText(difference),
  ];
}

function ratioText({ ratio }: Difference): string {
  return `${Number(ratio.toPrecision(3))}×`;
}

function changeText({ change }: Difference): TonedText {
  if (change === "faster" || change === "same") return { text: change, tone: "good" };
  return { text: change, tone: change === "slower" ? "bad" : "doubtful" };
}

function signed(ms: number): string {
  return `${ms < 0 ? "−" : "+"}${formatNumber(Math.abs(ms))}`;
}
