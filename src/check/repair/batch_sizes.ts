// Ways out of a batch that micro-batches and replicas do not share evenly.

import { divisorAtMost } from "../../plan/divisors.ts";
import { fixOfPlan, roundUp, setNumber } from "./fix.ts";

export const batchFixes = fixOfPlan(({ workload, degrees }, faulty) => {
  const { batch, microBatches } = workload;
  const data = degrees?.data ?? 1;
  const fewer = divisorAtMost(batch % data === 0 ? batch / data : batch, microBatches);
  const larger = roundUp(batch, microBatches * data);
  const lowerData = divisorAtMost(Math.max(1, Math.floor(batch / microBatches)), data);
  return [
    setNumber(
      faulty,
      ["workload", "microBatches"],
      fewer,
      "larger micro-batches: more activations, more bubble",
    ),
    setNumber(faulty, ["workload", "batch"], larger, `${larger - batch} more samples per step`),
    ...(lowerData < data
      ? [setNumber(faulty, ["parallel", "data"], lowerData, "fewer replicas: GPUs stay unused")]
      : []),
  ];
});
