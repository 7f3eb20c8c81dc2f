// The figures as text.

import { table } from "../../src/report/table.ts";
import type { ContenderFigures, Ratio, TaskFigures } from "./figures.ts";

/** One task: a line per contender. */
export function taskTable({ name, unit, contenders }: TaskFigures, per: string): string[] {
  return table(
    [
      { title: name, align: "left" },
      { title: `G${unit}/${per}` },
      { title: "wall ms" },
      { title: "ours is" },
      { title: "95 % within" },
      { title: "error" },
    ],
    contenders
      .filter(({ outcome }) => outcome.state !== "absent")
      .map((one) => ({ cells: cellsOf(one), ...noteOf(one) })),
  );
}

/** All tasks: Shardbench against the fastest right peer. */
export const summaryTable = (tasks: readonly TaskFigures[]): string[] =>
  table(
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

function cellsOf({ name, outcome, rate, ratio }: ContenderFigures): string[] {
  const error =
    outcome.state === "raced" || outcome.state === "wrong"
      ? outcome.verdict.largestError.toExponential(1)
      : "";
  if (outcome.state !== "raced" || rate === undefined) {
    return [name, outcome.state.toUpperCase(), "", "", "", error];
  }
  const walls = outcome.samples.map(({ wallMs }) => wallMs).toSorted((a, b) => a - b);
  const wall = walls[Math.floor(walls.length / 2)] ?? Number.NaN;
  return [
    name,
    (rate / 1e9).toPrecision(3),
    wall.toPrecision(3),
    ratio === undefined ? "" : times(ratio),
    ratio === undefined ? "" : within(ratio),
    error,
  ];
}

const noteOf = ({ outcome }: ContenderFigures): { note?: string } => {
  if (outcome.state === "wrong") return { note: `not raced: ${outcome.verdict.wrong}` };
  if (outcome.state === "failed") return { note: outcome.reason };
  return {};
};

const times = ({ median }: Ratio): string => `${median.toPrecision(3)}×`;

const within = ({ interval }: Ratio): string =>
  interval === undefined ? "" : interval.map((end) => end.toPrecision(3)).join(" … ");
