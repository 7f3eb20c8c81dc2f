// Utilization is three figures, never one: busy time, share of peak FLOP/s, share of peak bandwidth.

import type { Estimate } from "../program/estimate.ts";
import type { Program } from "../program/program.ts";
import { droppedFlops } from "./dropped_work.ts";
import type { Figure } from "./figure.ts";
import { figureOf, type Conditions } from "./figures.ts";
import type { StepSample } from "./sample.ts";
import { mean } from "./statistics.ts";

/** Peaks of one adapter, measured on it. Ranks that share it share them. */
export interface Peaks {
  /** In f32. */
  readonly peakFlops: number;
  readonly bandwidth?: number;
  /** It computes on the machine's CPU cores, which it shares with every other software adapter. */
  readonly software: boolean;
}

export interface Utilization {
  readonly busy?: Figure;
  readonly mfu?: Figure;
  readonly bandwidth?: Figure;
}

/**
 * @param estimate of `program`
 * @param peaks one entry per adapter used, however many ranks are on it
 */
export const utilization = (
  samples: readonly StepSample[],
  program: Program,
  estimate: Estimate,
  peaks: readonly Peaks[],
  conditions: Conditions,
): Utilization => {
  const busy = figureOf(
    samples.map(({ ranks, wallMs }) => mean(ranks.map(({ busyMs }) => busyMs)) / wallMs),
    "share",
    conditions,
    "mean over ranks of the time in which a kernel runs",
  );
  const independent = independentPeaks(peaks);
  const dropped = droppedFlops(program);
  const mfu = ofPeak(
    samples,
    (sample) => estimate.modelFlops - dropped(sample),
    independent.map(({ peakFlops }) => peakFlops),
    conditions,
    "model FLOPs, causal attention counted half and dropped choices of experts not at all, against " +
      "the calibrated f32 peak",
  );
  const kernelBytes = estimate.ranks.reduce((sum, rank) => sum + rank.kernelBytes, 0);
  const bandwidth = ofPeak(
    samples,
    () => kernelBytes,
    independent.map((peak) => peak.bandwidth),
    conditions,
    "bytes that kernels must move, against the calibrated bandwidth",
  );
  return {
    ...(busy === undefined ? {} : { busy }),
    ...(mfu === undefined ? {} : { mfu }),
    ...(bandwidth === undefined ? {} : { bandwidth }),
  };
};

/** Software adapters of one machine are its cores by several names: together they reach what the best does. */
const independentPeaks = (peaks: readonly Peaks[]): readonly Peaks[] => {
  const software = peaks.filter((each) => each.software);
  if (software.length === 0) return peaks;
  const bandwidths = software.flatMap(({ bandwidth }) => bandwidth ?? []);
  const machine: Peaks = {
    peakFlops: Math.max(...software.map(({ peakFlops }) => peakFlops)),
    ...(bandwidths.length === software.length ? { bandwidth: Math.max(...bandwidths) } : {}),
    software: true,
  };
  return [...peaks.filter((each) => !each.software), machine];
};

/** Absent where an adapter's peak is unknown: the rest of the peaks would flatter. */
const ofPeak = (
  samples: readonly StepSample[],
  workOf: (sample: StepSample) => number,
  peaks: readonly (number | undefined)[],
  conditions: Conditions,
  variant: string,
): Figure | undefined => {
  let total = 0;
  for (const peak of peaks) {
    if (peak === undefined) return undefined;
    total += peak;
  }
  if (total === 0) return undefined;
  return figureOf(
    samples.map((sample) => (workOf(sample) * 1000) / sample.wallMs / total),
    "share",
    conditions,
    variant,
  );
};
