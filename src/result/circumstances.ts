// What, beside its samples, says how far the figures of a run may be off.

import type { Circumstances } from "../measure/margin.ts";
import type { RunResult } from "./result.ts";

export function circumstancesOf({
  runs,
  calibration,
  adapters,
}: Pick<RunResult, "runs" | "calibration" | "adapters">): Circumstances {
  return {
    loads: runs.flatMap(({ load }) => load ?? []),
    isSoftware: adapters.some(({ software }) => software),
    peakChange: Math.max(
      0,
      ...calibration.flatMap(({ ceilings }) =>
        Object.values(ceilings).map(({ change = 0 }) => Math.abs(change)),
      ),
    ),
  };
}
