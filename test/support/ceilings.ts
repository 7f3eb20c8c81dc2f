// Made-up ceilings of adapters.

import { type Ceilings, ceilingsOf, type RateName } from "../../src/measure/ceiling.ts";

/** Each rate was reached in one run, so that it has no spread. */
export const ceilingsWith = (rates: Readonly<Partial<Record<RateName, number>>>): Ceilings =>
  ceilingsOf(
    Object.fromEntries(
      Object.entries(rates).map(([name, rate]) => [
        name,
        { form: `calibration/${name}_form`, runs: [rate], others: {} },
      ]),
    ),
  );
