// A simulated step on a terminal. Every figure is projected.

import type { Plan } from "../plan/plan.ts";
import type { HardwareProjection } from "../program/simulate/simulate_hardware.ts";
import { bubbleLines } from "./bubble_section.ts";
import type { Colours } from "./colour.ts";
import { formatNumber, formatPercent, formatValue } from "../measure/format.ts";
import { projectionLines } from "./projection_section.ts";
import type { Projection } from "../result/result.ts";
import { planLine } from "./run_header.ts";
import { timeTable } from "./run_sections.ts";
import { rangeOf, runsOfRanks } from "../program/runs_of_ranks.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrap, wrapIndented } from "./text_width.ts";

export const simulationReport = (
  plan: Plan,
  projection: Projection,
  colours: Colours,
): string[] => {
  const bubble = bubbleLines(plan, [projection.bubble], colours);
  return [
    ...wrap(planLine(plan), LINE_WIDTH).map(colours.strong),
    "",
    colours.strong("Projection"),
    ...projectionLines(projection, undefined, colours),
    "",
    colours.strong("Time per rank, % of the projected step"),
    ...timeTable(projection.ranks, colours),
    ...(bubble.length === 0
      ? []
      : ["", colours.strong("Bubble of the pipeline, % of the ranks' time"), ...bubble]),
  ];
};

const mostRankLines = 16;

export const hardwareReport = (
  plan: Plan,
  projected: HardwareProjection,
  colours: Colours,
): string[] => {
  const { stepMs, samplesPerSecond, tokensPerSecond, busy, scheduleBubble, peaks } = projected;
  const rows = [
    ["step", `${formatNumber(stepMs)} ms`],
    ["samples", formatValue(samplesPerSecond, "samples/s")],
    ...(plan.workload.sequence === 1 ? [] : [["tokens", formatValue(tokensPerSecond, "tokens/s")]]),
    ["busy", formatPercent(busy)],
    ...(scheduleBubble === undefined
      ? []
      : [["bubble", `${formatPercent(scheduleBubble)} by the schedule with equal stages`]]),
  ];
  const cellsOf = ({ endMs, computeMs }: HardwareProjection["ranks"][number]): string[] => [
    formatNumber(computeMs),
    formatPercent(computeMs / stepMs),
    formatNumber(endMs),
  ];
  const ranks = projected.ranks.map((each, rank) => ({ ...each, rank }));
  const runs = runsOfRanks(ranks, (rank) => cellsOf(rank).join()).slice(0, mostRankLines);
  const given = [
    `${formatValue(peaks.flops, "FLOP/s")} per GPU`,
    peaks.bandwidth === undefined
      ? "memory free, as its bandwidth is not given"
      : `memory ${formatValue(peaks.bandwidth, "B/s")}`,
    peaks.linkBandwidth === undefined
      ? "wire free, as link bandwidth is not given"
      : `a link of ${formatValue(peaks.linkBandwidth, "B/s")} into each GPU`,
    `latency ${formatNumber(projected.latencyMs * 1000)} µs`,
  ];
  return [
    ...wrap(planLine(plan), LINE_WIDTH).map(colours.strong),
    "",
    colours.strong("Projection"),
    ...rows.map(([label = "", text = ""]) => `  ${label.padEnd(8)}  ${text}`),
    ...table(
      [{ title: "rank" }, { title: "compute ms" }, { title: "of step" }, { title: "ends at ms" }],
      runs.map((run) => ({ cells: [rangeOf(run), ...cellsOf(run.item)] })),
      colours,
    ),
    ...wrapIndented(
      `projected from figures of the hardware: ${given.join("; ")}. Kernels run at the roofline, ` +
        "launches are free; no real kernels are as fast",
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};
