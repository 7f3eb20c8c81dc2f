// What the pool of ranks says, in the words of the result file.

import type { AdapterReport } from "../gpu/adapter.ts";
import { ceilingsOf } from "../measure/ceiling.ts";
import { ranksSharing, type SeparationTest } from "../measure/separation.ts";
import type { AdapterCalibration, RankAdapter, RankMemory } from "../report/result.ts";
import type { CalibrationWay } from "../runtime/messages.ts";
import type { Pinning, RankPool } from "../runtime/coordinator.ts";
import { kindOf } from "./separate_adapters.ts";

export const rankAdapters = (
  placement: readonly AdapterReport[],
  pinning: Pinning = false,
  separation?: SeparationTest,
): RankAdapter[] => {
  const sharing = ranksSharing(placement.map(kindOf), separation);
  return placement.map(({ choice, limits: _, ...report }, rank) => ({
    rank,
    id: choice.id,
    name: choice.name,
    software: choice.software,
    loader: choice.loader,
    ...(pinning === false ? {} : { core: rank }),
    ...(pinning === "awake" ? { keptAwake: true } : {}),
    ...report,
    sharedWith: sharing[rank] ?? [],
  }));
};

/** Always the same: what is derived again from a result's runs equals what it holds. */
export const ceilingSeed = 1;

export const memoryOf = ({ allocatedBytes, peakBytes }: RankPool): RankMemory[] =>
  allocatedBytes.map((allocated, rank) => ({
    rank,
    allocatedBytes: allocated,
    peakBytes: peakBytes[rank] ?? allocated,
  }));

export const calibrationsOf = async (
  pool: RankPool,
  how: CalibrationWay,
): Promise<AdapterCalibration[]> =>
  (await pool.calibrate(how)).map(({ adapter, calibration, now }) => ({
    adapter,
    date: calibration.date,
    tookMs: calibration.tookMs,
    ...(now === undefined ? {} : { cached: now }),
    ceilings: ceilingsOf({ ...calibration.rates, ...calibration.costs }, ceilingSeed),
  }));
