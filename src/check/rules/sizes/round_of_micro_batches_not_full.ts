// Interleaved 1F1B goes round its chunks p micro-batches at a time; a shorter round would wait for itself.

import { pipelineOf } from "../../../plan/pipeline.ts";
import { pipelinedWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const roundOfMicroBatchesNotFull: DiagnosticDefinition = {
  code: "round-of-micro-batches-not-full",
  severity: "error",
  title: "Round Of Micro Batches Not Full",
  requires: "Interleaved 1F1B has a multiple of p micro-batches.",
  examples: {
    bad: pipelinedWith(
      { virtualStages: 2 },
      { batch: 9, microBatches: 3, mode: "training", schedule: "1f1b" },
      { layers: 4 },
    ),
    good: pipelinedWith(
      { virtualStages: 2 },
      { batch: 9, microBatches: 3, mode: "training", schedule: "gpipe" },
      { layers: 4 },
    ),
  },
};

export const roundsAreFull: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [roundOfMicroBatchesNotFull],
  ofPlan: (plan) => {
    const { mode, schedule, microBatches } = plan.workload;
    const { pipelineRanks = [], virtualStages = 1 } = pipelineOf(plan) ?? {};
    const p = pipelineRanks.length;
    return mode !== "training" ||
      schedule !== "1f1b" ||
      virtualStages === 1 ||
      microBatches % p === 0
      ? []
      : [
          report(
            roundOfMicroBatchesNotFull,
            ["workload", "microBatches"],
            `interleaved 1F1B takes micro-batches in rounds of ${p} stages; ${microBatches} leave ${microBatches % p} over`,
            `use a multiple of ${p} micro-batches, or schedule gpipe`,
          ),
        ];
  },
};
