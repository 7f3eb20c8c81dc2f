// Each kernel of a run under its adapter's roofline: what it reaches, and what the adapter allows at best.

import { isOverBound, upToBound } from "./bound_share.ts";
import type { Ceiling } from "./ceiling.ts";
import { memoryCeiling } from "./ceiling.ts";
import type { Figure } from "./figure.ts";
import { byRun, type ByRun, figureOf, type Conditions } from "./figures.ts";
import type { KernelGroup } from "./kernel_groups.ts";
import type { StepSample } from "./sample.ts";
import type { CalibratedPeaks } from "./ceiling.ts";

export interface KernelMetrics extends KernelGroup {
  /** The shader that ran, and what sets its tiling apart; absent where that is not known. */
  readonly variant?: string;
  /** FLOPs per byte; absent for kernels that move no byte. */
  readonly intensity?: number;
  /** Of one call on the GPU: mean over a step's calls, median over steps. */
  readonly callMs: Figure;
  /** Of the time in which kernels of the model ran, over all ranks. */
  readonly share: Figure;
  /** Absent for kernels that count no FLOP. */
  readonly flopsPerSecond?: Figure;
  readonly bytesPerSecond: Figure;
  /** Absent where the adapter was not calibrated. */
  readonly bound?: RooflineBound;
}

export interface RooflineBound {
  /** The least time that arithmetic at its peak and memory at its bandwidth allow, each by itself. */
  readonly leastMs: number;
  /** Which of the two takes that long. */
  readonly by: "arithmetic" | "memory";
  readonly arithmetic: Arithmetic;
  /**
   * `leastMs` over the time taken. The interval includes the spread of the ceiling.
   */
  readonly reached: Figure;
  /** `reached` is over 100 %, and the bytes of a call are few enough to come from caches. */
  readonly inCaches?: true;
}

type RooflinePeaks = Pick<CalibratedPeaks, "ceilings" | "streamedBytes">;

export type Arithmetic = "f32" | "f16" | "matrix";

/** What a variant computes in, by the name of its shader: storage in f16 alone computes in f32. */
export function arithmeticOf(variant: string): Arithmetic {
  const [shader = ""] = variant.split(" ", 1);
  if (shader.includes("matrix")) return "matrix";
  return shader.includes("f16") ? "f16" : "f32";
}

/** @param samples no figures where one does not tell the kernels apart */
export function roofline(
  groups: readonly KernelGroup[],
  samples: readonly Pick<StepSample, "run" | "kernelMs">[],
  peaksOf: (adapter: string) => RooflinePeaks | undefined,
  variantOf: (group: KernelGroup) => string | undefined,
  conditions: Conditions,
): KernelMetrics[] {
  const whole = samples.flatMap(({ run, kernelMs }) =>
    kernelMs === undefined
      ? []
      : [{ run, kernelMs, totalMs: kernelMs.reduce((sum, ms) => sum + ms, 0) }],
  );
  if (whole.length === 0 || whole.length < samples.length) return [];
  return groups.flatMap((group, place) => {
    const calls = byRun(whole, ({ kernelMs }) => (kernelMs[place] ?? 0) / group.uses);
    // A clock too coarse for it.
    if (calls.some((own) => own.some((ms) => ms <= 0))) return [];
    const rate = (work: number, unit: "FLOP/s" | "B/s"): Figure | undefined =>
      figureOf(
        eachOf(calls, (ms) => (work * 1000) / ms),
        unit,
        conditions,
      );
    const callMs = figureOf(calls, "ms", conditions);
    const share = figureOf(
      byRun(whole, ({ kernelMs, totalMs }) => (kernelMs[place] ?? 0) / totalMs),
      "share",
      conditions,
    );
    const flopsPerSecond = group.flops === 0 ? undefined : rate(group.flops, "FLOP/s");
    const bytesPerSecond = rate(group.bytes, "B/s");
    if (callMs === undefined || share === undefined || bytesPerSecond === undefined) return [];
    const variant = variantOf(group);
    const peaks = peaksOf(group.adapter);
    const bound =
      peaks === undefined
        ? undefined
        : boundOf(group, arithmeticOf(variant ?? group.kernel), peaks, calls, conditions);
    return [
      {
        ...group,
        ...(variant === undefined ? {} : { variant }),
        ...(group.bytes === 0 ? {} : { intensity: group.flops / group.bytes }),
        callMs,
        share,
        ...(flopsPerSecond === undefined ? {} : { flopsPerSecond }),
        bytesPerSecond,
        ...(bound === undefined ? {} : { bound }),
      },
    ];
  });
}

function boundOf(
  { flops, bytes }: KernelGroup,
  arithmetic: Arithmetic,
  { ceilings, streamedBytes }: RooflinePeaks,
  calls: ByRun,
  conditions: Conditions,
): RooflineBound | undefined {
  const peak = ceilings[arithmetic];
  const memory = memoryCeiling(ceilings);
  if (peak === undefined || memory === undefined) return undefined;
  const arithmeticMs = (flops * 1000) / peak.figure.value;
  const memoryMs = (bytes * 1000) / memory.figure.value;
  const isArithmetic = arithmeticMs > memoryMs;
  const leastMs = Math.max(arithmeticMs, memoryMs);
  const reached = figureOf(
    eachOf(calls, (ms) => leastMs / ms),
    "share",
    conditions,
  );
  if (reached === undefined) return undefined;
  const inCaches = !isArithmetic && bytes < streamedBytes && isOverBound(reached);
  return {
    leastMs,
    by: isArithmetic ? "arithmetic" : "memory",
    arithmetic,
    reached: widened(reached, isArithmetic ? peak : memory),
    ...(inCaches ? { inCaches: true } : {}),
  };
}

function eachOf(values: ByRun, map: (value: number) => number): ByRun {
  return values.map((own) => own.map(map));
}

/** By what the ceiling may be less than its best run. */
function widened(share: Figure, { figure }: Ceiling): Figure {
  if (share.interval === undefined) return share;
  const [low, high] = share.interval;
  const most = (high * figure.value) / (figure.interval?.[0] ?? figure.value);
  return upToBound({ ...share, interval: [low, most] });
}
