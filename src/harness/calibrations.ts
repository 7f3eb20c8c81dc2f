// The peaks of a run's adapters: measured, or kept from an earlier run, before the steps, and looked at again after
// them. Other load, another clock or a limit on power may have come in between.

import {
  type KernelRate,
  kernelRates,
  type QuickLook,
  type RateVariants,
} from "../gpu/calibration/kernel_rates.ts";
import { streamedBytes } from "../gpu/calibration/streamed_bytes.ts";
import {
  type Ceilings,
  ceilingsOf,
  type MeasuredCeiling,
  type MeasuredCeilings,
  memoryCeiling,
} from "../measure/ceiling.ts";
import type { AdapterCalibration } from "../result/result.ts";
import type { RankPool, RecalledOnAdapter } from "../runtime/rank_pool.ts";
import type { CalibrationWay } from "../runtime/protocol.ts";

/** @param onPart called with what is measured so far of an adapter whose calibration is to be kept */
export async function calibrationsOf(
  pool: Pick<RankPool, "calibrate" | "adapters">,
  how: CalibrationWay,
  onPart: (part: AdapterCalibration) => void = () => undefined,
): Promise<AdapterCalibration[]> {
  const asReported = ({ adapter, calibration, now }: RecalledOnAdapter): AdapterCalibration => {
    const placed = pool.adapters.find(({ choice }) => choice.id === adapter);
    const measured = { ...calibration.rates, ...calibration.costs };
    const looked = withLook(measured, now ?? {}, (before) => ({ before }));
    return {
      adapter,
      date: calibration.date,
      tookMs: calibration.tookMs,
      ...(now === undefined
        ? {}
        : { cached: { f32: shareNow(looked.f32), copy: shareNow(looked.copy) } }),
      streamedBytes: streamedBytes(placed?.choice.software === true),
      ceilings: ceilingsOf(looked),
    };
  };
  const found = await pool.calibrate(how, (part) => onPart(asReported(part)));
  return found.map(asReported);
}

/** With what a short measurement after the steps reaches by the same variants. */
export async function lookedAtAgain(
  pool: Pick<RankPool, "lookAtPeaks">,
  calibrations: readonly AdapterCalibration[],
): Promise<AdapterCalibration[]> {
  const variants = new Map(
    calibrations.map(({ adapter, ceilings }) => [adapter, variantsOf(ceilings)]),
  );
  const looks = await pool.lookAtPeaks(variants);
  return calibrations.map((each) => ({
    ...each,
    ceilings: ceilingsOf(
      withLook(each.ceilings, looks.get(each.adapter) ?? {}, (runs, { after = [] }) => ({
        after: [...after, runs],
      })),
    ),
  }));
}

/** Of two calibrations of the same adapters, the larger of each peak. */
export function largerPeaks(
  earlier: readonly AdapterCalibration[],
  later: readonly AdapterCalibration[],
): AdapterCalibration[] {
  return earlier.map((each) => {
    const other = later.find(({ adapter }) => adapter === each.adapter)?.ceilings ?? {};
    const ceilings = { ...each.ceilings };
    for (const name of kernelRates) {
      const [one, two] = [ceilings[name], other[name]];
      if (two !== undefined && !(one !== undefined && one.figure.value >= two.figure.value)) {
        ceilings[name] = two;
      }
    }
    return { ...each, ceilings };
  });
}

/** Of every arithmetic, and of the one way to memory that kernels are held against. */
function variantsOf(ceilings: Ceilings): RateVariants {
  const memory = memoryCeiling(ceilings);
  const variants: Partial<Record<KernelRate, string>> = {};
  for (const name of kernelRates) {
    const ceiling = ceilings[name];
    if (ceiling === undefined) continue;
    const isMemory = name === "read" || name === "write" || name === "copy";
    if (!isMemory || ceiling === memory) variants[name] = ceiling.variant;
  }
  return variants;
}

function withLook(
  ceilings: MeasuredCeilings,
  look: QuickLook,
  add: (runs: readonly number[], to: MeasuredCeiling) => Partial<MeasuredCeiling>,
): MeasuredCeilings {
  const found = { ...ceilings };
  for (const name of kernelRates) {
    const [ceiling, runs] = [found[name], look[name]];
    if (ceiling !== undefined && runs !== undefined) {
      found[name] = { ...ceiling, ...add(runs, ceiling) };
    }
  }
  return found;
}

/** Of a kept ceiling, what is reached now. */
function shareNow(ceiling: MeasuredCeiling | undefined): number {
  return Math.max(...(ceiling?.before ?? [])) / Math.max(...(ceiling?.runs ?? []));
}
