// The least time a step can take, on a terminal.

import type { Plan } from "../plan/plan.ts";
import type { PlanEstimate } from "../program/estimate.ts";
import type { Colours } from "./colour.ts";
import { formatNumber, formatPercent, formatValue } from "../measure/format.ts";
import { rangeOf, runsOfRanks } from "../program/runs_of_ranks.ts";
import { LINE_WIDTH, table } from "./table.ts";
import { wrapIndented } from "./text_width.ts";

const mostRankLines = 16;

/** @param peakSource where the peaks come from, in a phrase */
export const boundLines = (
  plan: Plan,
  { bound, batch, tokens, microBatches }: PlanEstimate,
  peakSource: string,
  colours: Colours,
): string[] => {
  if (bound === undefined) {
    return [
      colours.strong("Bound"),
      ...wrapIndented(
        "none, as no peak is known: give --peak-flops, or hardware.gpu or hardware.peakFlops in the plan, or " +
          "--result FILE of an earlier run",
        LINE_WIDTH,
        2,
      ),
    ];
  }
  const { peaks, stepMs, microBatchMs, samplesPerSecond, tokensPerSecond, ranks } = bound;
  const rates = [
    ["step", `≥ ${formatNumber(stepMs)} ms`],
    ...(microBatches === 1
      ? []
      : [["micro-batch", `≥ ${formatNumber(microBatchMs)} ms through all stages`]]),
    ["samples", `≤ ${formatValue(samplesPerSecond, "samples/s")}`],
    ...(batch === tokens ? [] : [["tokens", `≤ ${formatValue(tokensPerSecond, "tokens/s")}`]]),
    ...claimsOf(plan, samplesPerSecond, tokensPerSecond),
  ];
  const given = [
    formatValue(peaks.flops, "FLOP/s"),
    peaks.bandwidth === undefined
      ? "memory free, as its bandwidth is not given"
      : `memory ${formatValue(peaks.bandwidth, "B/s")}`,
    peaks.linkBandwidth === undefined
      ? "wire free, as link bandwidth is not given"
      : `wire ${formatValue(peaks.linkBandwidth, "B/s")} between two GPUs`,
  ];
  const share = (ms: number): string => formatPercent(stepMs === 0 ? 0 : ms / stepMs);
  const cellsOf = ({ waitMs, kernelMs, wireMs }: (typeof ranks)[number]): string[] => [
    formatNumber(waitMs),
    formatNumber(kernelMs),
    formatNumber(wireMs),
    share(kernelMs),
  ];
  const runs = runsOfRanks(ranks, (rank) => cellsOf(rank).join()).slice(0, mostRankLines);
  return [
    colours.strong("Bound"),
    ...rates.map(([label = "", text = ""]) => `  ${label.padEnd(11)}  ${text}`),
    ...table(
      [
        { title: "rank" },
        { title: "fill ms" },
        { title: "kernels ms" },
        { title: "wire ms" },
        { title: "kernels of step" },
      ],
      runs.map((run) => ({ cells: [rangeOf(run), ...cellsOf(run.item)] })),
      colours,
    ),
    ...wrapIndented(
      `peak per GPU ${peakSource}: ${given.join("; ")}. Each instruction takes the longer of its ` +
        "arithmetic and its bytes; a rank's follow one another, and wait for what others send. " +
        `${formatPercent(bound.memoryBoundShare)} of kernel time is bound by memory. Launches, host ` +
        "copies and memory read twice are free here: a run takes longer.",
      LINE_WIDTH,
      2,
    ).map(colours.faint),
  ];
};

/** A claim above the bound cannot hold on such GPUs. */
const claimsOf = (plan: Plan, samples: number, tokens: number): string[][] => {
  const { samplesPerSecond, tokensPerSecond } = plan.claims;
  const line = (claim: number | undefined, unit: "samples/s" | "tokens/s", most: number) =>
    claim === undefined
      ? []
      : [["claimed", `${formatValue(claim, unit)}, ${formatPercent(claim / most)} of the bound`]];
  return [
    ...line(samplesPerSecond, "samples/s", samples),
    ...line(tokensPerSecond, "tokens/s", tokens),
  ];
};
