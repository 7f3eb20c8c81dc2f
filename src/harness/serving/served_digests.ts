// Did timed steps compute what was checked? The digests of their results, summed up over steps, tell.

import { isDeepStrictEqual } from "node:util";
import { NumericsError } from "../../numerics_error.ts";
import type { ServedStep } from "../../program/serving/served.ts";
import type { RankDigests } from "../../runtime/observation.ts";
import type { RankPool } from "../../runtime/rank_pool.ts";

/** Each time, what the digest sums of each result grew by since the time before. */
export type DigestGrowth = () => Promise<number[][]>;

export function createDigestGrowth(pool: Pick<RankPool, "askAll">): DigestGrowth {
  let before: readonly RankDigests[] = [];
  return async () => {
    const now = await pool.askAll("digests", {});
    const grown = now.flatMap(({ digests }, rank) =>
      digests.map(({ sums }, i) => {
        const old = before[rank]?.digests[i]?.sums ?? [0, 0];
        return sums.map((sum, half) => (sum - (old[half] ?? 0)) >>> 0);
      }),
    );
    before = now;
    return grown;
  };
}

/**
 * Serves steps that were checked once more, as timed ones are served.
 *
 * @param growth asked last before the checked steps ran
 * @throws NumericsError where they leave other results
 */
export async function refuseOtherTimed(
  pool: Pick<RankPool, "serve" | "askAll">,
  steps: readonly ServedStep[],
  growth: DigestGrowth,
): Promise<void> {
  const checked = await growth();
  await pool.askAll("emptyCaches", {});
  for (const step of steps) await pool.serve([step]);
  if (checked.length > 0 && isDeepStrictEqual(await growth(), checked)) return;
  throw new NumericsError(
    `${steps.length} steps left other results than when they were checked`,
    Infinity,
    0,
  );
}
