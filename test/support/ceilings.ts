// Made-up ceilings of adapters.

import { type Ceilings, ceilingsOf, type RateName } from "../../src/measure/ceiling.ts";

/** Each rate was reached in one run, so that it has no spread. */
export function ceilingsWith(rates: Readonly<Partial<Record<RateName, number>>>): Ceilings {
  return ceilingsOf(
    Object.fromEntries(
      Object.entries(rates).map(([name, rate]) => [
        name,
        { variant: `calibration/${name}_variant`, runs: [rate], others: {} },
      ]),
    ),
  );
}
