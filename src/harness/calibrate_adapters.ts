// Adapters by themselves, without a plan: each in a process of its own, one after the other.

import type { AdapterReport } from "../gpu/adapter.ts";
import { discoverAdapters } from "../gpu/discover.ts";
import { placeRanks } from "../gpu/placement.ts";
import type { Program } from "../program/program.ts";
import type { AdapterCalibration } from "../report/result.ts";
import type { CalibratedAdapter } from "../report/terminal_calibration.ts";
import { readVersions } from "../report/versions.ts";
import { openRanks } from "../runtime/coordinator.ts";
import { calibrationsOf } from "./calibrations.ts";
import { rankAdapters } from "./record.ts";
import type { Progress } from "./run_options.ts";

export interface CalibrateOptions {
  /** Adapter id. Default: every adapter that opens. */
  readonly adapter?: string;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/**
 * Measures anew, and keeps what it finds for later runs.
 *
 * @throws EnvironmentError where there is no such adapter, or where one does not open
 * @throws NumericsError where one computes wrong
 */
export const calibrateAdapters = async (
  options: CalibrateOptions = {},
): Promise<CalibratedAdapter[]> => {
  const { onProgress = () => undefined, signal } = options;
  onProgress({ phase: "adapters" });
  const { adapters, refused } = await discoverAdapters();
  const placed = placeRanks(1, adapters, { ...options, refused });
  const chosen = options.adapter === undefined ? adapters : placed;
  const found: CalibratedAdapter[] = [];
  for (const report of chosen) {
    onProgress({ phase: "calibrate", done: found.length + 1, total: chosen.length });
    const calibration = await calibrateAlone(report, signal);
    const [own] = rankAdapters([report]);
    if (own === undefined || calibration === undefined) continue;
    const { rank: _, sharedWith: __, ...adapter } = own;
    found.push({ adapter, versions: readVersions(), calibration });
  }
  return found;
};

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

const calibrateAlone = async (
  report: AdapterReport,
  signal: AbortSignal | undefined,
): Promise<AdapterCalibration | undefined> => {
  const pool = await openRanks(idle, [report], signal === undefined ? {} : { signal });
  try {
    const [calibration] = await calibrationsOf(pool, "keep");
    return calibration;
  } finally {
    await pool.close();
  }
};
