// What, beside its samples, says how far the figures of a run may be off.

import type { Circumstances } from "../measure/margin.ts";
import { median } from "../measure/statistics.ts";
import type { RunResult } from "./result.ts";

export function circumstancesOf({
  runs,
  calibration,
  adapters,
  samples,
  clockUncertaintyMs = 0,
}: Pick<
  RunResult,
  "runs" | "calibration" | "adapters" | "samples" | "clockUncertaintyMs"
>): Circumstances {
  return {
    clocks: {
      apartMs: 2 * clockUncertaintyMs,
      stepMs: samples.length === 0 ? 0 : median(samples.map(({ wallMs }) => wallMs)),
    },
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
