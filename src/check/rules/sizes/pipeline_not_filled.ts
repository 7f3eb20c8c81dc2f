// How well micro-batches fill the stages, if all stages take as long.

import { pipelineOf } from "../../../plan/pipeline.ts";
import { pipelinedWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const pipelineNotFilled: DiagnosticDefinition = {
  code: "pipeline-not-filled",
  severity: "warning",
  title: "Pipeline Not Filled",
  requires: "There are at least as many micro-batches as stages.",
  examples: {
    bad: pipelinedWith({}, { microBatches: 1 }),
    good: pipelinedWith({}),
  },
};

export const pipelineFilled: DiagnosticDefinition = {
  code: "pipeline-filled",
  severity: "info",
  title: "Pipeline Filling",
  requires: "Tells the bubble of a pipeline with enough micro-batches.",
  examples: {
    bad: pipelinedWith({}),
    good: pipelinedWith({}, { microBatches: 1 }),
  },
  section: "strengths",
};

export const pipelineIsFilled: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [pipelineNotFilled, pipelineFilled],
  ofPlan: (plan) => {
    // Stages that share some of their GPUs are no pipeline, and the formula says nothing of them.
    const pipeline = pipelineOf(plan);
    const p = pipeline?.pipelineRanks.length ?? 1;
    const v = pipeline?.virtualStages ?? 1;
    const m = plan.workload.microBatches;
    if (p === 1) return [];
    const bubble = Math.round((100 * (p - 1)) / (v * m + p - 1));
    const path = ["workload", "microBatches"];
    const formula = v > 1 ? "(p − 1)/(v·m + p − 1)" : "(p − 1)/(m + p − 1)";
    const message = `${p} stages${v > 1 ? ` of ${v} chunks` : ""} with ${m} micro-batches idle at least ${bubble} % of the time: ${formula}`;
    return m < p
      ? [
          report(
            pipelineNotFilled,
            path,
            message,
            `use at least ${p} micro-batches to have every stage at work`,
          ),
        ]
      : [report(pipelineFilled, path, message)];
  },
};
