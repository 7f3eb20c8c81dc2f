// A batch is cut into micro-batches of equal size.

import { degreesWith } from "../../example.ts";
import { batchFixes } from "../../repair/batch_sizes.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const microBatchesDoNotDivideBatch: DiagnosticDefinition = {
  code: "micro-batches-do-not-divide-batch",
  severity: "error",
  title: "Micro Batches Do Not Divide Batch",
  requires: "Micro-batches are of equal size.",
  examples: {
    bad: degreesWith({ workload: { microBatches: 3 } }),
    good: degreesWith({ workload: { microBatches: 2 } }),
  },
  fix: batchFixes,
};

export const microBatchesDivideBatch: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [microBatchesDoNotDivideBatch],
  ofPlan: ({ workload: { batch, microBatches } }) =>
    batch % microBatches === 0
      ? []
      : [
          report(
            microBatchesDoNotDivideBatch,
            ["workload", "microBatches"],
            `batch ${batch} leaves ${batch % microBatches} over when split into ${microBatches} micro-batches`,
            "choose a divisor of workload.batch",
          ),
        ],
};
