// Ranks that keep made-up GPUs busy: those that are asked in the same turn of the event loop are at work together.

import { setImmediate } from "node:timers/promises";
import type { Turn } from "../../src/gpu/calibration/occupy.ts";
import type { Answer, Asked, Kind } from "../../src/runtime/protocol.ts";
import type { RankPool } from "../../src/runtime/rank_pool.ts";

export interface BusyRank {
  readonly rank: number;
  /** As many as ms that the load was sized for. */
  readonly dispatches: number;
}

/** @param occupy what became of the ranks that are at work together, in their order */
export function busyRanks(
  occupy: (together: readonly BusyRank[]) => readonly Turn[],
): Pick<RankPool, "ask"> {
  let together: BusyRank[] = [];
  let turns: Promise<readonly Turn[]> | undefined;
  const takeTurns = async (): Promise<readonly Turn[]> => {
    await setImmediate();
    const all = together;
    together = [];
    turns = undefined;
    return occupy(all);
  };
  return {
    async ask<Of extends Kind>(rank: number, what: Of, asked: Asked<Of>): Promise<Answer<Of>> {
      if ("targetMs" in asked) {
        return { workgroups: 1, dispatches: asked.targetMs } as unknown as Answer<Of>;
      }
      if (!("load" in asked)) throw new Error(`${what} of a rank that only keeps busy`);
      const at = together.push({ rank, dispatches: asked.load.dispatches }) - 1;
      turns ??= takeTurns();
      return (await turns)[at] as Answer<Of>;
    },
  };
}
