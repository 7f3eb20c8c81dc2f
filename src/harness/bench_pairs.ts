// Latency and bandwidth between every ordered pair of ranks, one pair at a time: no other is open meanwhile, so that links
// are not contended. Each pair is a bench of sends, checked as those are.

import { discoverAdapters } from "../gpu/discover.ts";
import { namedAdapters, placeRanks } from "../gpu/placement.ts";
import type { CollectiveBench } from "../result/collective_bench.ts";
import { benchCollectives, type BenchCollectivesOptions } from "./bench_collectives.ts";

export interface PairBench extends CollectiveBench {
  /** Ranks as they were asked for; the bench itself calls them 0 and 1. */
  readonly from: number;
  readonly to: number;
}

/** @throws EnvironmentError when ranks cannot start */
export async function benchPairs(
  options: Omit<BenchCollectivesOptions, "op" | "algorithm">,
): Promise<PairBench[]> {
  const { ranks, adapter: _, placement: _own, onProgress, ...rest } = options;
  const { adapters, refused } = await discoverAdapters(process.env, namedAdapters(options));
  const placed = placeRanks(ranks, adapters, { ...options, refused });
  const found: PairBench[] = [];
  for (let from = 0; from < ranks; from++) {
    for (let to = 0; to < ranks; to++) {
      const [source, target] = [placed[from], placed[to]];
      if (from === to || source === undefined || target === undefined) continue;
      onProgress?.({ phase: "measure", done: found.length, total: ranks * (ranks - 1) });
      const bench = await benchCollectives({
        ...rest,
        op: "send",
        ranks: 2,
        placement: `0=${source.choice.id},1=${target.choice.id}`,
      });
      found.push({ ...bench, from, to });
      if (bench.outcome.state !== "complete") return found;
    }
  }
  return found;
}
