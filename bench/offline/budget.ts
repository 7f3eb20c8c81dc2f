// Who may take how much of the time that is left. Pure.

/** What stopping a part that does not stop by itself may take. */
export const graceMs = 3000;

/** The least that a part gets; with less it is not begun, for no adapter opens in it. */
const leastMs = 5000;

/**
 * The time of the first of several parts, in proportion to its weight: what a part leaves over goes to those
 * that come after it. Undefined where too little is left to begin.
 *
 * @param weights of this part and of those after it
 */
export function limitOf(leftMs: number, weights: readonly number[]): number | undefined {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  const [own = 0] = weights;
  const limit = (leftMs - weights.length * graceMs) * (own / all);
  return leftMs - graceMs >= leastMs ? Math.max(limit, leastMs) : undefined;
}

/** When a part that can stop by itself begins nothing new. */
export function softLimitOf(limitMs: number): number {
  return 0.9 * limitMs;
}
