// Finds out which adapters that look alike are GPUs of their own: each is kept busy alone, then all at once, then in
// pairs those of which that told nothing. Rounds are short, and their number is bounded.

import type { AdapterReport } from "../gpu/adapter.ts";
import { isRecent, readCacheFile, writeCacheFile, type CacheKey } from "../gpu/cache_file.ts";
import { adapterCacheKey } from "../gpu/cache_key.ts";
import type { Load } from "../gpu/calibration/occupy.ts";
import {
  areSeparate,
  lookAlike,
  type AdapterKind,
  type BusyTime,
  type SeparationTest,
} from "../measure/separation.ts";
import { separationSchema } from "../result/sample_schema.ts";
import type { RankPool } from "../runtime/rank_pool.ts";

/** Long beside what a request takes on its way, short beside a run. */
const busyMs = 60;
const rounds = 3;
/** Of adapters that all at once did not tell apart; eight of them make as many. */
const mostPairs = 28;

type Pool = Pick<RankPool, "ask">;

/** An adapter that looks like another, and the rank that works on it. */
export interface SeparationCandidate {
  readonly id: string;
  readonly rank: number;
}

/** One rank on each adapter that looks like another of the placement. */
export function lookAlikes(placement: readonly AdapterKind[]): SeparationCandidate[] {
  return placement.flatMap((own, rank) => {
    const isFirst = placement.findIndex(({ id }) => id === own.id) === rank;
    return isFirst && placement.some((other) => lookAlike(own, other))
      ? [{ id: own.id, rank }]
      : [];
  });
}

export async function testSeparation(
  pool: Pool,
  candidates: readonly SeparationCandidate[],
): Promise<SeparationTest> {
  const loads = new Map<string, Load>();
  for (const { id, rank } of candidates) {
    loads.set(id, await pool.ask(rank, "sizeLoad", { targetMs: busyMs }));
  }
  const alone = candidates.map((): number[] => []);
  const together: BusyTime[][] = [];

  const work = async (some: readonly SeparationCandidate[]): Promise<BusyTime[]> => {
    const turns = some.map(async ({ id, rank }) => {
      const load = loads.get(id);
      return load === undefined
        ? []
        : [{ adapter: id, ...(await pool.ask(rank, "occupy", { load })) }];
    });
    return (await Promise.all(turns)).flat();
  };
  const eachAlone = async (): Promise<void> => {
    for (const [i, candidate] of candidates.entries()) {
      for (const { startMs, endMs } of await work([candidate])) alone[i]?.push(endMs - startMs);
    }
  };
  const tested = (): SeparationTest => ({
    date: new Date().toISOString(),
    adapters: candidates.map(({ id }) => id),
    alone,
    together,
  });

  // Clocks of GPUs rise under load: alone counts as fast as it ever was, afterwards too.
  for (let round = 0; round < rounds; round += 1) {
    await eachAlone();
    together.push(await work(candidates));
  }
  await eachAlone();
  const unproven = pairsOf(candidates).filter(([a, b]) => !areSeparate(tested(), a.id, b.id));
  if (candidates.length > 2) {
    for (const pair of unproven.slice(0, mostPairs)) together.push(await work(pair));
  }
  return tested();
}

function pairsOf(
  candidates: readonly SeparationCandidate[],
): (readonly [SeparationCandidate, SeparationCandidate])[] {
  return candidates.flatMap((one, i) =>
    candidates.slice(i + 1).map((other) => [one, other] as const),
  );
}

/**
 * Undefined where no two adapters of the placement look alike. A test that told all of them apart is kept for
 * later runs of the same machine, adapters and drivers, as long as a calibration.
 *
 * @param recall whether a kept one counts
 */
export async function separationOf(
  pool: Pool,
  placement: readonly AdapterReport[],
  recall: boolean,
): Promise<SeparationTest | undefined> {
  const candidates = lookAlikes(placement.map(kindOf));
  if (candidates.length === 0) return undefined;
  const key = cacheKey(candidates.flatMap(({ rank }) => placement[rank] ?? []));
  const kept = recall ? await readCacheFile(kind, key, separationSchema) : undefined;
  if (kept !== undefined && isRecent(kept)) return kept;
  const test = await testSeparation(pool, candidates);
  const allSeparate = pairsOf(candidates).every(([a, b]) => areSeparate(test, a.id, b.id));
  if (allSeparate) await writeCacheFile(kind, key, test);
  return test;
}

export function kindOf({ choice, vendor, architecture }: AdapterReport): AdapterKind {
  return {
    id: choice.id,
    software: choice.software,
    vendor,
    architecture,
  };
}

const kind = "separation";

function cacheKey(reports: readonly AdapterReport[]): CacheKey {
  return {
    adapters: JSON.stringify(
      reports.map((report) => ({
        ...adapterCacheKey(report),
        id: report.choice.id,
        pciTag: report.choice.pciTag,
      })),
    ),
  };
}
