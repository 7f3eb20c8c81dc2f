// A plan in a line, as reports begin with it.

import { countOf, formatNumber } from "../../measure/format.ts";
import type { Plan } from "../../plan/plan.ts";

export function planLine({ name, hardware, workload }: Plan): string {
  const sequence = workload.sequence === 1 ? "" : `, sequence ${formatNumber(workload.sequence)}`;
  return (
    `${name}: ${countOf(hardware.gpus, "rank")}, ${workload.mode}, ${workload.dtype}, ` +
    `batch ${formatNumber(workload.batch)} in ${countOf(
      workload.microBatches,
      "micro-batch",
    )}${sequence}`
  );
}
