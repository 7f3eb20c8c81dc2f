// The rate of the fastest of several variants. Variants take turns, so that whatever else the machine does meets
// them all; those that fall far behind drop out.

import type { CeilingRuns } from "./calibration.ts";

/** One way to get some work done. */
export interface MicroVariant {
  readonly name: string;
  /** What one run gets done: FLOPs, or bytes. */
  readonly work: number;
  /** Does it once; ms. */
  run(): Promise<number>;
  /** Does it once from a clean state and throws `NumericsError` where the result is wrong. */
  verify(): Promise<void>;
}

const screeningRounds = 3;
/** Of the best; as far as noise may hide the better one. */
const hopeless = 0.75;
const leastRounds = 7;
const mostRounds = 24;

/**
 * Undefined without variants.
 *
 * @param budgetMs for all rounds together; the first seven are taken in any case
 */
export async function measureRate(
  variants: readonly MicroVariant[],
  budgetMs: number,
): Promise<CeilingRuns | undefined> {
  // Warms up, too.
  for (const variant of variants) await variant.verify();
  const all = variants.map((variant) => ({ variant, rates: [] as number[] }));
  let running = all;
  const begin = performance.now();
  for (let round = 0; round < mostRounds; round += 1) {
    if (round >= leastRounds && performance.now() - begin > budgetMs) break;
    for (const { variant, rates } of running)
      rates.push((variant.work * 1000) / (await variant.run()));
    if (round + 1 === screeningRounds) {
      const best = Math.max(...all.map(({ rates }) => Math.max(...rates)));
      running = all.filter(({ rates }) => Math.max(...rates) >= hopeless * best);
    }
  }
  for (const { variant } of running) await variant.verify();
  const [first, ...rest] = all.toSorted((a, b) => Math.max(...b.rates) - Math.max(...a.rates));
  if (first === undefined) return undefined;
  return {
    variant: first.variant.name,
    runs: first.rates,
    others: Object.fromEntries(
      rest.map(({ variant, rates }) => [variant.name, Math.max(...rates)]),
    ),
  };
}
