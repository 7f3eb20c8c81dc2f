// When requests come: all at once, or as a Poisson process with a seed.

import { tensorKey } from "../hash_source.ts";

/** ms from the beginning, ascending; the first comes at 0. */
export function arrivalsOf(
  requests: number,
  requestsPerSecond: number | undefined,
  seed: number,
): number[] {
  let state = tensorKey("arrivals", seed) >>> 0;
  let now = 0;
  return Array.from({ length: requests }, (_, request) => {
    if (request === 0 || requestsPerSecond === undefined) return now;
    state = tensorKey(`${state}`, seed) >>> 0;
    // Of an exponential distribution, by its inverse.
    now += (-Math.log(1 - state / 2 ** 32) * 1000) / requestsPerSecond;
    return now;
  });
}
