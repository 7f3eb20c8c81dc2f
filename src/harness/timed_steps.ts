// Did timed steps compute what was checked? Every micro-batch's result of every step, by its digest.

import { isDeepStrictEqual } from "node:util";
import { type Digest, digestOf, digestTimes } from "../kernels/digest.ts";
import { NumericsError } from "../numerics_error.ts";
import { isResult } from "../program/observation.ts";
import type { CheckOutcome } from "../result/check_outcome.ts";
import type { ObservedBuffer, RankDigests } from "../runtime/observation.ts";

/**
 * @param checked what the checking step showed on all ranks
 * @param ranks sums over that step and all after it
 * @param timed how many were timed
 * @throws NumericsError where a result of some step was another, or where fewer steps ran than were timed
 */
export function checkTimedSteps(
  checked: readonly ObservedBuffer[],
  ranks: readonly RankDigests[],
  timed: number,
): NonNullable<CheckOutcome["timed"]> {
  const results = checked.filter(({ observation }) => isResult(observation));
  const steps = Math.min(...ranks.map((rank) => rank.steps - 1));
  if (!(steps >= timed)) {
    throw new NumericsError(`${timed} steps were timed, and only ${steps} ran`, Infinity, 0);
  }
  const digests = ranks.flatMap((rank) =>
    rank.digests.map((one) => ({ ...one, rank: rank.rank, steps: rank.steps })),
  );
  if (results.length === 0 || digests.length !== results.length) {
    throw new NumericsError("timed steps show other results than the checked one", Infinity, 0);
  }
  for (const { layer, microBatch, observation, sums, rank, steps: ran } of digests) {
    const shown = results.find(
      (one) =>
        one.layer === layer &&
        one.microBatch === microBatch &&
        isDeepStrictEqual(one.observation, observation),
    );
    if (shown !== undefined && isDeepStrictEqual(sums, digestTimes(digestIn(shown), ran))) continue;
    const what =
      observation.kind === "state"
        ? `${observation.buffer} otherwise than the checked one, rank ${rank}`
        : `another result of ${layer} than the checked one, rank ${rank}, micro-batch ${microBatch}`;
    throw new NumericsError(`a timed step left ${what}`, Infinity, 0);
  }
  const microBatches = new Set(digests.map(({ microBatch }) => microBatch)).size;
  return { steps, microBatches };
}

/** Of what one step showed. */
function digestIn({ observation, bytes }: ObservedBuffer): Digest {
  const words = new Uint32Array(bytes.slice().buffer);
  if (observation.kind !== "state") return digestOf(words);
  const [first = 0, second = 0] = words;
  return [first, second];
}
