// An uneven split has a number for every pipeline rank, and they sum to the layers.

import { pipelinedWith } from "../../example.ts";
import type { Fix } from "../../repair/fix.ts";
import { evenStages, pipelineFixes } from "../../repair/pipeline_layers.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const dealtOutOrEven: Fix = (faulty, diagnostic, found) => [
  ...pipelineFixes(faulty, diagnostic, found),
  evenStages,
];

const layersPerStageDiffersFromPipeline: DiagnosticDefinition = {
  code: "layers-per-stage-differs-from-pipeline",
  severity: "error",
  title: "Layers Per Stage Differs From Pipeline",
  requires: "layersPerStage has a number for every pipeline rank.",
  examples: {
    bad: pipelinedWith({ layersPerStage: [2] }),
    good: pipelinedWith({ layersPerStage: [1, 1] }),
  },
  fix: dealtOutOrEven,
};

const layersPerStageDoNotSum: DiagnosticDefinition = {
  code: "layers-per-stage-do-not-sum",
  severity: "error",
  title: "Layers Per Stage Do Not Sum",
  requires: "layersPerStage sums to the model's layers.",
  examples: {
    bad: pipelinedWith({ layersPerStage: [1, 2] }),
    good: pipelinedWith({ layersPerStage: [1, 1] }),
  },
  fix: dealtOutOrEven,
};

export const layersPerStageSum: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [layersPerStageDiffersFromPipeline, layersPerStageDoNotSum],
  ofPlan: ({ degrees, model }) => {
    const counts = degrees?.layersPerStage;
    if (degrees === undefined || model === undefined || counts === undefined) return [];
    const path = ["parallel", "layersPerStage"];
    if (counts.length !== degrees.pipeline) {
      return [
        report(
          layersPerStageDiffersFromPipeline,
          path,
          `layersPerStage has ${counts.length} entries, pipeline is ${degrees.pipeline}`,
          `give ${degrees.pipeline} numbers, or set parallel.pipeline to ${counts.length}`,
        ),
      ];
    }
    const sum = counts.reduce((all, count) => all + count, 0);
    return sum === model.layers
      ? []
      : [
          report(
            layersPerStageDoNotSum,
            path,
            `layersPerStage sums to ${sum}, the model has ${model.layers} layers`,
            `make the numbers sum to ${model.layers}`,
          ),
        ];
  },
};
