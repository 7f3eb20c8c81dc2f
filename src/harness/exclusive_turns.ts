// Exclusive steps in turn with measured ones: what else the machine does, for seconds at a time, meets both.

import { median } from "../measure/statistics.ts";
import type { ServedStep } from "../program/serving/served.ts";
import type { Measured } from "../program/simulate/simulate.ts";
import type { RankPool } from "../runtime/rank_pool.ts";

export interface ExclusiveTurns {
  /** To be called between measured steps, with the share of the measuring that is done, 0 … 1. */
  upTo(share: number): Promise<void>;
  /** Takes the turns that are left. Undefined where an adapter does not time kernels one by one. */
  finish(): Promise<Measured | undefined>;
}

const turns = 5;
/** Steps that each rank runs alone in a turn; more of short ones, as far as time allows. */
const least = 2;
const most = 30;

/** @param served of serving, the step that is taken */
export function createExclusiveTurns(
  pool: Pick<RankPool, "timeAlone">,
  served?: ServedStep,
): ExclusiveTurns {
  const taken: (Measured | undefined)[] = [];
  const take = async (): Promise<void> => {
    taken.push(await pool.timeAlone(least, most, served));
  };
  return {
    async upTo(share) {
      // In the middle of each share: steps are slower until the runtime has compiled what they run.
      if (
        taken.length < turns &&
        !taken.includes(undefined) &&
        share >= (taken.length + 0.5) / turns
      )
        await take();
    },
    async finish() {
      while (taken.length < turns && !taken.includes(undefined)) await take();
      const found = taken.flatMap((turn) => turn ?? []);
      if (found.length < turns) return undefined;
      return {
        repeats: found.flatMap((turn) => turn.repeats),
        latencyMs: median(found.map(({ latencyMs }) => latencyMs)),
      };
    },
  };
}
