// What the pool of ranks says, in the words of the result file.

import type { AdapterReport } from "../gpu/adapter.ts";
import type { AdapterCalibration, RankAdapter, RankMemory } from "../report/result.ts";
import type { RankPool } from "../runtime/coordinator.ts";

export const rankAdapters = (placement: readonly AdapterReport[]): RankAdapter[] =>
  placement.map(({ choice, limits: _, ...report }, rank) => ({
    rank,
    id: choice.id,
    name: choice.name,
    software: choice.software,
    loader: choice.loader,
    ...report,
    sharedWith: placement.flatMap((other, at) =>
      at !== rank && other.choice.id === choice.id ? [at] : [],
    ),
  }));

export const memoryOf = ({ allocatedBytes, peakBytes }: RankPool): RankMemory[] =>
  allocatedBytes.map((allocated, rank) => ({
    rank,
    allocatedBytes: allocated,
    peakBytes: peakBytes[rank] ?? allocated,
  }));

export const calibrationsOf = async (pool: RankPool): Promise<AdapterCalibration[]> =>
  (await pool.calibrate()).map(({ adapter, calibration }) => ({
    adapter,
    peakFlops: calibration.peakFlops,
    spread: calibration.spread,
    bandwidth: calibration.copyBandwidth,
    method: calibration.method,
  }));
