// A plan in a line, as reports begin with it.

import { countOf, formatNumber } from "../../measure/format.ts";
import type { Plan, Workload } from "../../plan/plan.ts";

export function planLine({ name, hardware, workload }: Plan): string {
  const sequence = lengthOf(workload);
  return (
    `${name}: ${countOf(hardware.gpus, "rank")}, ${workload.mode}, ${workload.dtype}, ` +
    `batch ${formatNumber(workload.batch)} in ${countOf(
      workload.microBatches,
      "micro-batch",
    )}${sequence}`
  );
}

function lengthOf({ sequence, serving }: Workload): string {
  if (serving !== undefined) {
    const { requests, inputTokens, outputTokens } = serving;
    const tokens = `${formatNumber(inputTokens)} → ${formatNumber(outputTokens)} tokens`;
    return `, ${countOf(requests, "request")} of ${tokens}`;
  }
  return sequence === 1 ? "" : `, sequence ${formatNumber(sequence)}`;
}
