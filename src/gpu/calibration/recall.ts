// A calibration that was kept, if it still holds; else a new one.

import type { AdapterReport } from "../adapter.ts";
import { adapterCacheKey } from "../cache_key.ts";
import { isRecent, readCacheFile, writeCacheFile } from "../cache_file.ts";
import type { LogicalGpu } from "../logical_gpu.ts";
import { calibrate, lookQuickly } from "./calibrate.ts";
import { type Calibration, calibrationSchema } from "./calibration.ts";
import type { KernelRate, QuickLook } from "./kernel_rates.ts";

export interface RecalledCalibration {
  readonly calibration: Calibration;
  /** Present where it is a kept one: what a short measurement reaches now. */
  readonly now?: QuickLook;
}

const kind = "calibration";
/** A figure that is used again must be one that would be measured again. */
const tolerance = 0.1;

/** Measures every ceiling and keeps it for later runs. @param onPart called with what is measured so far */
export async function calibrateAndKeep(
  gpu: LogicalGpu,
  onPart: (part: Calibration) => void,
): Promise<RecalledCalibration> {
  const calibration = await calibrate(gpu, "everything", onPart);
  await writeCacheFile(kind, adapterCacheKey(gpu.report), calibration);
  return { calibration };
}

/**
 * The kept calibration, of the same adapter, driver, machine and versions, at most 30 days old. It counts only
 * where the adapter reaches now what it reached then, within a tenth: other load, another clock or a limit on
 * power make it one of other conditions. Else what kernels are held against is measured, for once.
 *
 * @param measure how; default: the ceilings of kernels
 */
export async function recallOrCalibrate(
  gpu: LogicalGpu,
  measure: (gpu: LogicalGpu) => Promise<Calibration> = calibrateKernels,
): Promise<RecalledCalibration> {
  const kept = await keptCalibration(gpu.report);
  if (kept !== undefined) {
    const { f32, copy } = kept.rates;
    const now = await lookQuickly(gpu, {
      ...(f32 === undefined ? {} : { f32: f32.variant }),
      ...(copy === undefined ? {} : { copy: copy.variant }),
    });
    if (isReached(kept, now, "f32") && isReached(kept, now, "copy")) {
      return { calibration: kept, now };
    }
  }
  return { calibration: await measure(gpu) };
}

/** Of the same adapter, driver, machine and versions, at most 30 days old; nothing is measured. */
export async function keptCalibration(report: AdapterReport): Promise<Calibration | undefined> {
  const kept = await readCacheFile(kind, adapterCacheKey(report), calibrationSchema);
  return kept !== undefined && isRecent(kept) ? kept : undefined;
}

/** What a run's kernels are held against. */
export async function calibrateKernels(gpu: LogicalGpu): Promise<Calibration> {
  return calibrate(gpu, "kernels");
}

function isReached({ rates }: Calibration, now: QuickLook, name: KernelRate): boolean {
  const [then, again] = [rates[name]?.runs, now[name]];
  if (then === undefined || again === undefined) return false;
  return Math.abs(Math.max(...again) / Math.max(...then) - 1) <= tolerance;
}
