// The rate of the fastest of several forms. Forms take turns, so that whatever else the machine does meets
// them all; those that fall far behind drop out.

import type { Ceiling } from "./calibration.ts";

/** One way to get some work done. */
export interface MicroForm {
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
 * Undefined without forms.
 *
 * @param budgetMs for all rounds together; the first seven are taken in any case
 */
export async function measureRate(
  forms: readonly MicroForm[],
  budgetMs: number,
): Promise<Ceiling | undefined> {
  // Warms up, too.
  for (const form of forms) await form.verify();
  const all = forms.map((form) => ({ form, rates: [] as number[] }));
  let running = all;
  const begin = performance.now();
  for (let round = 0; round < mostRounds; round += 1) {
    if (round >= leastRounds && performance.now() - begin > budgetMs) break;
    for (const { form, rates } of running) rates.push((form.work * 1000) / (await form.run()));
    if (round + 1 === screeningRounds) {
      const best = Math.max(...all.map(({ rates }) => Math.max(...rates)));
      running = all.filter(({ rates }) => Math.max(...rates) >= hopeless * best);
    }
  }
  for (const { form } of running) await form.verify();
  const [first, ...rest] = all.toSorted((a, b) => Math.max(...b.rates) - Math.max(...a.rates));
  if (first === undefined) return undefined;
  return {
    form: first.form.name,
    runs: first.rates,
    others: Object.fromEntries(rest.map(({ form, rates }) => [form.name, Math.max(...rates)])),
  };
}
