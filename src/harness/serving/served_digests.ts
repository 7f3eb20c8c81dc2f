// Did timed steps compute what was checked? The digests of their results, summed up over steps, tell.

import { isDeepStrictEqual } from "node:util";
import { NumericsError } from "../../numerics_error.ts";
import type { ServedStep } from "../../program/serving/served.ts";
import type { RankPool } from "../../runtime/rank_pool.ts";

/**
 * Serves steps that were checked once more, as timed ones are served.
 *
 * @param digestSteps asked last before the checked steps ran
 * @throws NumericsError where they leave other results
 */
export async function refuseOtherTimed(
  pool: Pick<RankPool, "serve" | "askAll">,
  steps: readonly ServedStep[],
  digestSteps: () => Promise<number[][]>,
): Promise<void> {
  const checked = await digestSteps();
  await pool.askAll("emptyCaches", {});
  for (const step of steps) await pool.serve([step]);
  if (checked.length > 0 && isDeepStrictEqual(await digestSteps(), checked)) return;
  throw new NumericsError(
    `${steps.length} steps left other results than when they were checked`,
    Infinity,
    0,
  );
}
