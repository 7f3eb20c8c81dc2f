// The figures as text of at most 80 columns.

import { groupBy } from "../../src/group_by.ts";
import { median } from "../../src/measure/statistics.ts";
import { formatNumber } from "../../src/measure/format.ts";
import { LINE_WIDTH, renderTable } from "../../src/report/render/table.ts";
import { wrap, wrapIndented } from "../../src/report/render/text_width.ts";
import { conditionsText, type Conditions } from "../results.ts";
import { type ContenderName, timingNotes } from "./contender.ts";
import type { ContenderFigures, Ratio, TaskFigures } from "./figures.ts";

/** Who races on what, and what the figures mean. */
export function introduction(
  conditions: Conditions,
  names: readonly ContenderName[],
  rateClock: string,
): string[] {
  return [
    ...wrap(conditionsText(conditions), LINE_WIDTH),
    "",
    ...wrap(
      `Rates by ${rateClock}. Results are checked against f64; what is wrong is not raced. "ours is": ` +
        "a contender's time over that of shardbench-tuned in the same round, median, and 95 % interval " +
        "by bootstrap. What the times hold:",
      LINE_WIDTH,
    ),
    ...names.flatMap((name) => {
      const [first = "", ...rest] = wrapIndented(`${name}: ${timingNotes[name]}`, LINE_WIDTH, 4);
      return [first.slice(2), ...rest];
    }),
  ];
}

/** One task: a line per contender. */
export function taskTable({ name, unit, contenders }: TaskFigures, per: string): string[] {
  return [
    name,
    ...renderTable(
      [
        { title: "contender", align: "left" },
        { title: `G${unit}/${per}` },
        { title: "wall ms" },
        { title: "ours is" },
        { title: "95 % within" },
        { title: "error" },
      ],
      contenders
        .filter(({ outcome }) => outcome.state !== "absent")
        .map((one) => ({ cells: cellsOf(one), ...noteOf(one) })),
    ),
  ];
}

/** All tasks: Shardbench against the fastest correct peer. */
export function summaryTable(tasks: readonly TaskFigures[]): string[] {
  return renderTable(
    [
      { title: "task", align: "left" },
      { title: "best peer", align: "left" },
      { title: "ours is" },
      { title: "95 % within" },
    ],
    tasks.map(({ name, best }) => ({
      cells:
        best === undefined
          ? [name, "none was raced"]
          : [name, best.name, times(best.ratio), within(best.ratio)],
    })),
  );
}

/** Drawn shapes by kind: how often Shardbench is how far ahead of the fastest correct peer. */
export function kindsTable(tasks: readonly TaskFigures[]): string[] {
  return renderTable(
    [
      { title: "drawn shapes of", align: "left" },
      { title: "raced" },
      { title: "ours is, at least" },
      { title: "median" },
      { title: "at most" },
      { title: "behind" },
    ],
    [...groupBy(tasks, ({ task }) => task.op)].map(([op, all]) => {
      const ratios = all.flatMap(({ best }) => (best === undefined ? [] : [best.ratio.median]));
      const behind = ratios.filter((ratio) => ratio < 1).length;
      const figures = [Math.min(...ratios), median(ratios), Math.max(...ratios)];
      const cells = ratios.length === 0 ? ["", "", ""] : figures.map((f) => `${f.toPrecision(3)}×`);
      return { cells: [op, `${ratios.length} of ${all.length}`, ...cells, String(behind)] };
    }),
  );
}

function cellsOf({ name, outcome, rate, ratio }: ContenderFigures): string[] {
  const error =
    outcome.state === "raced" || outcome.state === "wrong"
      ? outcome.verdict.largestError.toExponential(1)
      : "";
  if (outcome.state !== "raced" || rate === undefined) {
    return [name, outcome.state.toUpperCase(), "", "", "", error];
  }
  return [
    name,
    formatNumber(rate / 1e9),
    formatNumber(median(outcome.samples.map(({ wallMs }) => wallMs))),
    ratio === undefined ? "" : times(ratio),
    ratio === undefined ? "" : within(ratio),
    error,
  ];
}

function noteOf({ outcome }: ContenderFigures): { note?: string } {
  if (outcome.state === "wrong") return { note: `not raced: ${outcome.verdict.wrong}` };
  if (outcome.state === "failed") return { note: outcome.reason };
  return {};
}

function times(ratio: Ratio): string {
  return `${ratio.median.toPrecision(3)}×`;
}

function within({ interval }: Ratio): string {
  return interval === undefined ? "" : interval.map((end) => end.toPrecision(3)).join(" … ");
}
