// The least time that a step can take.

import { formatNumber, formatPercent, formatValue } from "../../measure/format.ts";
import type { Plan } from "../../plan/plan.ts";
import type { PlanEstimate } from "../../program/estimate.ts";
import { rangeOf, runsOfRanks } from "../../program/runs_of_ranks.ts";
import { fields, note, right, table, type Section, type Table } from "../section.ts";

type Bound = NonNullable<PlanEstimate["bound"]>;
type Field = readonly [label: string, text: string];

const mostRankLines = 16;

/** @param peakSource where the peaks come from, in a phrase */
export function boundSection(plan: Plan, estimate: PlanEstimate, peakSource: string): Section {
  const title = "Bound";
  const { bound } = estimate;
  if (bound === undefined) {
    const why =
      "none, as no peak is known: give --peak-flops, or hardware.gpu or hardware.peakFlops in the plan, or " +
      "--result FILE of an earlier run";
    return { title, blocks: [note(why, "plain")] };
  }
  return {
    title,
    blocks: [
      fields(ratesOf(plan, estimate, bound), 13),
      rankTable(bound),
      note(
        `peak per GPU ${peakSource}: ${givenPeaks(bound)}. Each instruction takes the longer of its ` +
          "arithmetic and its bytes; a rank's follow one another, and wait for what others send. " +
          `${formatPercent(bound.memoryBoundShare)} of kernel time is bound by memory. Launches, host ` +
          "copies and memory read twice are free here: a run takes longer.",
      ),
    ],
  };
}

function ratesOf(plan: Plan, { batch, tokens, microBatches }: PlanEstimate, bound: Bound): Field[] {
  const { stepMs, microBatchMs, samplesPerSecond, tokensPerSecond } = bound;
  return [
    ["step", `≥ ${formatNumber(stepMs)} ms`],
    ...(microBatches === 1
      ? []
      : [["micro-batch", `≥ ${formatNumber(microBatchMs)} ms through all stages`] as const]),
    ["samples", `≤ ${formatValue(samplesPerSecond, "samples/s")}`],
    ...(batch === tokens
      ? []
      : [["tokens", `≤ ${formatValue(tokensPerSecond, "tokens/s")}`] as const]),
    ...claimedOf(plan.claims.samplesPerSecond, "samples/s", samplesPerSecond),
    ...claimedOf(plan.claims.tokensPerSecond, "tokens/s", tokensPerSecond),
  ];
}

/** A claim above the bound cannot hold on such GPUs. */
function claimedOf(
  claim: number | undefined,
  unit: "samples/s" | "tokens/s",
  most: number,
): Field[] {
  if (claim === undefined) return [];
  return [["claimed", `${formatValue(claim, unit)}, ${formatPercent(claim / most)} of the bound`]];
}

function rankTable({ ranks, stepMs }: Bound): Table {
  const cellsOf = ({ waitMs, kernelMs, wireMs }: Bound["ranks"][number]): string[] => [
    formatNumber(waitMs),
    formatNumber(kernelMs),
    formatNumber(wireMs),
    formatPercent(stepMs === 0 ? 0 : kernelMs / stepMs),
  ];
  const runs = runsOfRanks(ranks, (rank) => cellsOf(rank).join()).slice(0, mostRankLines);
  return table(
    right("rank", "fill ms", "kernels ms", "wire ms", "kernels of step"),
    runs.map((run) => ({ cells: [rangeOf(run), ...cellsOf(run.item)] })),
  );
}

function givenPeaks({ peaks }: Bound): string {
  return [
    formatValue(peaks.flops, "FLOP/s"),
    peaks.bandwidth === undefined
      ? "memory free, as its bandwidth is not given"
      : `memory ${formatValue(peaks.bandwidth, "B/s")}`,
    peaks.linkBandwidth === undefined
      ? "wire free, as link bandwidth is not given"
      : `wire ${formatValue(peaks.linkBandwidth, "B/s")} between two GPUs`,
  ].join("; ");
}
