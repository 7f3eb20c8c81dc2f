// What the pool of ranks says, in the words of the result file.

import type { AdapterReport } from "../gpu/adapter.ts";
import { machineOf } from "../gpu/job_hosts.ts";
import { ranksSharing, type SeparationTest } from "../measure/separation.ts";
import type { RankAdapter, RankMemory } from "../result/result.ts";
import type { Pinning } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import type { GivenContents } from "../weights/given_source.ts";
import { kindOf } from "./separate_adapters.ts";

export function rankAdapters(
  placement: readonly AdapterReport[],
  pinning: Pinning = false,
  separation?: SeparationTest,
): RankAdapter[] {
  const places = placement.map((_, rank) => {
    const machine = machineOf(rank);
    return machine === undefined ? {} : { machine };
  });
  const kinds = placement.map((report, rank) => ({ ...kindOf(report), ...places[rank] }));
  const sharing = ranksSharing(kinds, separation);
  return placement.map(({ choice, limits: _, ...report }, rank) => ({
    rank,
    id: choice.id,
    name: choice.name,
    software: choice.software,
    loader: choice.loader,
    ...(pinning === false ? {} : { core: rank }),
    ...(pinning === "awake" ? { keptAwake: true } : {}),
    ...report,
    ...places[rank],
    sharedWith: sharing[rank] ?? [],
  }));
}

export function memoryOf({ allocatedBytes, peakBytes }: RankPool): RankMemory[] {
  return allocatedBytes.map((allocated, rank) => ({
    rank,
    allocatedBytes: allocated,
    peakBytes: peakBytes[rank] ?? allocated,
  }));
}

/** What of a run is not made from its seed. */
export function notesOnGiven({ weights, tokens }: GivenContents = {}): string[] {
  return [
    ...(weights === undefined ? [] : [`weights are those of ${weights.folder}`]),
    ...(tokens === undefined ? [] : [`the input is ${tokens.length} given tokens`]),
  ];
}
