// Utilization is three figures, never one: busy time, share of peak FLOP/s, share of peak bandwidth.

import type { Estimate } from "../program/estimate.ts";
import type { Program } from "../program/program.ts";
import { upToBound } from "./bound_share.ts";
import { type CalibratedPeaks, type Ceiling, type Ceilings, memoryCeiling } from "./ceiling.ts";
import { droppedFlops } from "./dropped_work.ts";
import type { Figure } from "./figure.ts";
import { byRun, figureOf, type Conditions } from "./figures.ts";
import type { Arithmetic } from "./roofline.ts";
import type { StepSample } from "./sample.ts";
import { mean } from "./statistics.ts";

export interface Utilization {
  readonly busy?: Figure;
  readonly mfu?: Figure;
  readonly hfu?: Figure;
  readonly modelFlopsRate?: Figure;
  readonly hardwareFlopsRate?: Figure;
  readonly bandwidth?: Figure;
}

/**
 * @param estimate of `program`
 * @param peaks one entry per adapter used, however many ranks are on it
 * @param arithmetics that some kernel of the run computes in; MFU is held against the fastest
 */
export function utilization(
  samples: readonly StepSample[],
  program: Program,
  estimate: Estimate,
  peaks: readonly CalibratedPeaks[],
  conditions: Conditions,
  arithmetics: readonly Arithmetic[] = ["f32"],
): Utilization {
  const busy = figureOf(
    byRun(samples, ({ ranks, wallMs }) => mean(ranks.map(({ busyMs }) => busyMs)) / wallMs),
    "share",
    conditions,
    "mean over ranks of the time in which a kernel runs",
  );
  const dropped = droppedFlops(program);
  const peak = ceilingOfAll(peaks, (ceilings) => fastestOf(ceilings, arithmetics));
  const modelWork = (sample: StepSample): number => estimate.modelFlops - dropped(sample).model;
  const mfu = ofCeiling(
    samples,
    modelWork,
    peak,
    conditions,
    "model FLOPs, causal attention counted half and dropped choices of experts not at all, against " +
      `the calibrated ${arithmetics.join(" or ")} peak`,
  );
  const recomputed = estimate.ranks.reduce((sum, each) => sum + (each.recomputed?.flops ?? 0), 0);
  const hardwareWork = (sample: StepSample): number => {
    const { model, recomputed: again } = dropped(sample);
    return estimate.modelFlops - model + recomputed - again;
  };
  const hfu = ofCeiling(
    samples,
    hardwareWork,
    peak,
    conditions,
    `as MFU, with ${recomputed === 0 ? "nothing" : "what is"} computed again in the backward pass`,
  );
  const rateOf = (workOf: (sample: StepSample) => number): Figure | undefined =>
    figureOf(
      byRun(samples, (sample) => (workOf(sample) * 1000) / sample.wallMs),
      "FLOP/s",
      conditions,
    );
  const modelFlopsRate = rateOf(modelWork);
  const hardwareFlopsRate = rateOf(hardwareWork);
  const kernelBytes = estimate.ranks.reduce((sum, rank) => sum + rank.kernelBytes, 0);
  const bandwidth = ofCeiling(
    samples,
    () => kernelBytes,
    ceilingOfAll(peaks, memoryCeiling),
    conditions,
    "bytes that kernels must move, against the calibrated bandwidth",
  );
  return {
    ...(busy === undefined ? {} : { busy: upToBound(busy) }),
    ...(mfu === undefined ? {} : { mfu }),
    ...(hfu === undefined ? {} : { hfu }),
    ...(modelFlopsRate === undefined ? {} : { modelFlopsRate }),
    ...(hardwareFlopsRate === undefined ? {} : { hardwareFlopsRate }),
    ...(bandwidth === undefined ? {} : { bandwidth }),
  };
}

function fastestOf(ceilings: Ceilings, arithmetics: readonly Arithmetic[]): Ceiling | undefined {
  return arithmetics
    .flatMap((arithmetic) => ceilings[arithmetic] ?? [])
    .toSorted((a, b) => b.figure.value - a.figure.value)[0];
}

/** Per second, and the least that it can be believed to be. */
interface Denominator {
  readonly value: number;
  readonly low: number;
}

/**
 * What all adapters reach together; absent where one's ceiling is unknown, as the rest of them would flatter.
 * Software adapters of one machine are its cores by several names: together they reach what the best does.
 */
function ceilingOfAll(
  peaks: readonly CalibratedPeaks[],
  pick: (ceilings: Ceilings) => Ceiling | undefined,
): Denominator | undefined {
  const found = peaks.map(({ ceilings, software }) => ({
    figure: pick(ceilings)?.figure,
    software,
  }));
  const total = { value: 0, low: 0 };
  let machine: Denominator = { value: 0, low: 0 };
  for (const { figure, software } of found) {
    if (figure === undefined) return undefined;
    const own = { value: figure.value, low: figure.interval?.[0] ?? figure.value };
    if (!software) {
      total.value += own.value;
      total.low += own.low;
    } else if (own.value > machine.value) machine = own;
  }
  total.value += machine.value;
  total.low += machine.low;
  return total.value === 0 ? undefined : total;
}

/** The interval is that of the steps, widened by what the ceiling may be less than its best run. */
function ofCeiling(
  samples: readonly StepSample[],
  workOf: (sample: StepSample) => number,
  ceiling: Denominator | undefined,
  conditions: Conditions,
  variant: string,
): Figure | undefined {
  if (ceiling === undefined) return undefined;
  const shares = byRun(
    samples,
    (sample) => (workOf(sample) * 1000) / sample.wallMs / ceiling.value,
  );
  const figure = figureOf(shares, "share", conditions, variant);
  if (figure?.interval === undefined) return figure;
  const [low, high] = figure.interval;
  return upToBound({ ...figure, interval: [low, (high * ceiling.value) / ceiling.low] });
}
