// A training plan is checked, but no backward pass is computed: a schedule's slots for it are synthetic.

import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const trainingRunsForwardOnly: DiagnosticDefinition = {
  code: "training-runs-forward-only",
  severity: "warning",
  title: "Training Runs Forward Only",
  requires: "Tells that only the forward pass of a training plan is run.",
  examples: {
    bad: degreesWith({ workload: { mode: "training" } }),
    good: degreesWith(),
  },
};

const backwardIsSynthetic: DiagnosticDefinition = {
  code: "backward-is-synthetic",
  severity: "warning",
  title: "Backward Is Stand In",
  requires: "Tells that the backward slots of a schedule are synthetic.",
  examples: {
    bad: degreesWith({ workload: { mode: "training", schedule: "1f1b" } }),
    good: degreesWith({ workload: { mode: "training" } }),
  },
};

export const trainingRunsForward: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [trainingRunsForwardOnly, backwardIsSynthetic],
  ofPlan: ({ workload }) =>
    workload.mode !== "training" || workload.optimizer !== undefined
      ? []
      : [
          workload.schedule === undefined
            ? report(
                trainingRunsForwardOnly,
                ["workload", "mode"],
                "mode is training, but only the forward pass is run and measured",
                "name a workload.optimizer to run whole steps of training, or read the figures as those of inference",
              )
            : report(
                backwardIsSynthetic,
                ["workload", "schedule"],
                "backward slots are synthetic: the stage's matrix products twice over and a transfer as " +
                  "large as the gradient; nothing is trained",
                "name a workload.optimizer to run whole steps, or read the figures as those of the schedule",
              ),
        ],
};
