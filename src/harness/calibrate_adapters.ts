// Adapters by themselves, without a plan: each in a process of its own, one after the other.

import type { AdapterReport } from "../gpu/adapter.ts";
import { streamedBytes } from "../gpu/calibration/streamed_bytes.ts";
import { discoverAdapters } from "../gpu/discover.ts";
import { placeRanks } from "../gpu/placement.ts";
import type { Program } from "../program/program.ts";
import type { AdapterCalibration } from "../result/result.ts";
import type { CalibratedAdapter } from "../result/calibrated_adapter.ts";
import { readVersions } from "../result/versions.ts";
import { openRanks } from "../runtime/coordinator.ts";
import { calibrationsOf } from "./calibrations.ts";
import { outcomeOf } from "./outcome.ts";
import { rankAdapters } from "./record.ts";
import type { Progress } from "./run_options.ts";

export interface CalibrateOptions {
  /** Adapter id. Default: every adapter that opens. */
  readonly adapter?: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Measures anew, and keeps what it finds for later runs. What was measured before a signal or a fault is given all the
 * same, and not kept for runs.
 *
 * @throws EnvironmentError where there is no such adapter, or where one does not open
 * @throws NumericsError where one computes wrong
 */
export async function calibrateAdapters(
  options: CalibrateOptions = {},
): Promise<CalibratedAdapter[]> {
  const { onProgress = () => undefined, signal } = options;
  onProgress({ phase: "adapters" });
  const { adapters, refused } = await discoverAdapters(
    process.env,
    options.adapter === undefined ? undefined : [options.adapter],
  );
  const placed = placeRanks(1, adapters, { ...options, refused });
  const chosen = options.adapter === undefined ? adapters : placed;
  const found: CalibratedAdapter[] = [];
  for (const report of chosen) {
    onProgress({ phase: "calibrate", done: found.length + 1, total: chosen.length });
    const [own] = rankAdapters([report]);
    if (own === undefined) continue;
    const calibrated = await calibrateAlone(report, signal, found.length > 0);
    const { rank: _, sharedWith: __, machine: ___, ...adapter } = own;
    found.push({ adapter, versions: readVersions(), ...calibrated });
    if (calibrated.outcome.state !== "complete") break;
  }
  return found;
}

/** A program of one rank that has nothing to do. */
const idle: Program = {
  name: "calibration",
  dtype: "f32",
  seed: 1,
  ranks: [{ rank: 0, buffers: [], instructions: [] }],
  batch: 1,
  tokens: 1,
  microBatches: 1,
  layers: [],
  output: { rows: 1, columns: 1 },
};

/** @param mayBreak whether something was measured before, which a fault must not cost; else it is thrown */
async function calibrateAlone(
  report: AdapterReport,
  signal: AbortSignal | undefined,
  mayBreak: boolean,
): Promise<Pick<CalibratedAdapter, "calibration" | "outcome">> {
  let part: AdapterCalibration | undefined;
  try {
    const pool = await openRanks(idle, [report], signal === undefined ? {} : { signal });
    try {
      const [calibration] = await calibrationsOf(pool, "keep", (found) => {
        part = found;
      });
      return { calibration: calibration ?? nothingOf(report), outcome: { state: "complete" } };
    } finally {
      await pool.close();
    }
  } catch (error) {
    if (part === undefined && !mayBreak) throw error;
    return { calibration: part ?? nothingOf(report), outcome: outcomeOf(error) };
  }
}

function nothingOf({ choice }: AdapterReport): AdapterCalibration {
  return {
    adapter: choice.id,
    date: new Date().toISOString(),
    tookMs: 0,
    streamedBytes: streamedBytes(choice.software),
    ceilings: {},
  };
}
