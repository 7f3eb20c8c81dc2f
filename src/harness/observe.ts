// A checking step of a program, as the verification wants it: of the sharded program on its open ranks, of
// the unsharded one on a rank opened for it.

import type { AdapterReport } from "../gpu/adapter.ts";
import type { Program } from "../program/program.ts";
import { openRanks, type OpenRanksOptions } from "../runtime/coordinator.ts";
import type { RankPool } from "../runtime/rank_pool.ts";
import type { ObserveOptions } from "../runtime/observation.ts";
import type { StepObservation, Observe } from "./verify.ts";

/** @param placement the first of it also runs any program but `program` */
export function observeOn(
  pool: RankPool,
  program: Program,
  placement: readonly AdapterReport[],
  { signal, given }: Pick<OpenRanksOptions, "signal" | "given">,
): Observe {
  return async (wanted, asked = {}) => {
    if (wanted === program) return observe(pool, asked);
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
  const ranks = await pool.observe(options);
  return {
    observed: ranks.flatMap((rank) => rank.observed),
    checks: ranks.flatMap((rank) => rank.check ?? []),
  };
}
