// A schedule orders stages that share no GPU.

import { pipelineOf } from "../../../plan/pipeline.ts";
import { sendToB, stagesWith, wholeOn } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const scheduleNeedsPipeline: DiagnosticDefinition = {
  code: "schedule-needs-pipeline",
  severity: "error",
  title: "Schedule Needs Pipeline",
  requires: "A schedule orders stages that share no GPU, or all of them.",
  examples: {
    bad: stagesWith({ workload: { schedule: "gpipe" } }),
    good: stagesWith({
      workload: { schedule: "gpipe" },
      hardware: { gpus: 2 },
      stages: [
        { name: "a", layers: [wholeOn(0)] },
        { name: "b", layers: [wholeOn(1)] },
      ],
      communications: [sendToB],
    }),
  },
};

export const scheduleHasPipeline: RuleDefinition = {
  chapter: "splits",
  diagnostics: [scheduleNeedsPipeline],
  ofPlan: (plan) =>
    plan.workload.schedule === undefined || pipelineOf(plan) !== undefined
      ? []
      : [
          report(
            scheduleNeedsPipeline,
            ["workload", "schedule"],
            `${plan.workload.schedule} orders the stages of a pipeline, but here stages share some of their GPUs`,
            "give each stage GPUs of its own, or leave workload.schedule out",
          ),
        ],
};
