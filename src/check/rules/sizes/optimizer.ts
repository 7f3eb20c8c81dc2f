// What a plan that names an optimizer needs so that whole steps of training run.

import { whyNotTrained } from "../../../program/trained.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { notRunnable } from "./layer_not_runnable.ts";

const path = ["workload", "optimizer"];

const optimizerWithoutTraining: DiagnosticDefinition = {
  code: "optimizer-without-training",
  severity: "error",
  title: "Optimizer Without Training",
  requires: "An optimizer updates weights in steps of training.",
  examples: {
    bad: degreesWith({ workload: { optimizer: { name: "adamw" } } }),
    good: degreesWith({ workload: { mode: "training", optimizer: { name: "adamw" } } }),
  },
};

export const optimizerNeedsTraining: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [optimizerWithoutTraining],
  ofPlan: ({ workload: { mode, optimizer } }) =>
    optimizer === undefined || mode === "training"
      ? []
      : [
          report(
            optimizerWithoutTraining,
            path,
            `workload.optimizer is for steps of training, but workload.mode is ${mode}`,
            "leave it out, or set workload.mode to training",
          ),
        ],
};

/** Every layer has a gradient. */
export const stepsAreTrained: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [],
  ofProgram: (plan) => {
    const why = whyNotTrained(plan);
    return why === undefined
      ? []
      : [
          notRunnable(
            path,
            `no step of training runs here, for something has no gradient yet: ${why}`,
            "leave it out",
          ),
        ];
  },
};
