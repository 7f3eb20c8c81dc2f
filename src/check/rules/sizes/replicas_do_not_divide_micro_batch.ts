// With a data degree, every replica takes as many samples of each micro-batch.

import { degreesWith } from "../../example.ts";
import { batchFixes } from "../../repair/batch_sizes.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const replicasDoNotDivideMicroBatch: DiagnosticDefinition = {
  code: "replicas-do-not-divide-micro-batch",
  severity: "error",
  title: "Replicas Do Not Divide Micro Batch",
  requires:
    "Every replica takes as many samples of each micro-batch: batch % (microBatches × data) = 0.",
  examples: {
    bad: degreesWith({
      hardware: { gpus: 4 },
      workload: { microBatches: 4 },
      parallel: { data: 2 },
    }),
    good: degreesWith({ hardware: { gpus: 4 }, parallel: { data: 2 } }),
  },
  fix: batchFixes,
};

export const replicasDivideMicroBatch: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [replicasDoNotDivideMicroBatch],
  ofPlan: ({ workload, degrees }) => {
    const { batch, microBatches } = workload;
    const data = degrees?.data ?? 1;
    if (batch % microBatches !== 0 || (batch / microBatches) % data === 0) return [];
    return [
      report(
        replicasDoNotDivideMicroBatch,
        ["parallel", "data"],
        `a micro-batch of ${batch / microBatches} samples cannot be shared evenly by ${data} data replicas`,
        "make workload.batch a multiple of microBatches × data",
      ),
    ];
  },
};
