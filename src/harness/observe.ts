// A checking step of a program, as the verification wants it: of the sharded program and its twins on their open ranks,
// of the unsharded one on a rank opened for it.

import type { AdapterReport } from "../gpu/adapter.ts";
import type { Program } from "../program/program.ts";
import { openRanks, type OpenRanksOptions } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import type { ObserveOptions, RankObservation } from "../runtime/observation.ts";
import type { StepObservation, Observe } from "./verify.ts";

/**
 * @param placement the first of it also runs any program that is not open
 * @param twins those that are open beside `program`
 */
export function observeOn(
  pool: RankPool,
  program: Program,
  placement: readonly AdapterReport[],
  { signal, given }: Pick<OpenRanksOptions, "signal" | "given">,
  twins: readonly Program[] = [],
): Observe {
  return async (wanted, asked = {}) => {
    if (wanted === program) return observe(pool, asked);
    if (twins.includes(wanted)) return observationOf(await pool.observeTwin(wanted, asked));
    const own = await openRanks(wanted, placement, {
      ...(signal === undefined ? {} : { signal }),
      ...(given === undefined ? {} : { given }),
    });
    try {
      return await observe(own, asked);
    } finally {
      await own.close();
    }
  };
}

async function observe(pool: RankPool, options: ObserveOptions): Promise<StepObservation> {
  return observationOf(await pool.observe(options));
}

function observationOf(ranks: readonly RankObservation[]): StepObservation {
  return {
    observed: ranks.flatMap((rank) => rank.observed),
    checks: ranks.flatMap((rank) => rank.check ?? []),
  };
}
