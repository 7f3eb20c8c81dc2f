// Every pipeline rank has as many layers, unless the plan deals them out itself.

import { pipelinedWith } from "../../example.ts";
import { pipelineFixes } from "../../repair/pipeline_layers.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const pipelineDoesNotDivideLayers: DiagnosticDefinition = {
  code: "pipeline-does-not-divide-layers",
  severity: "error",
  title: "Pipeline Does Not Divide Layers",
  requires:
    "Every pipeline rank has as many layers, unless parallel.layersPerStage deals them out.",
  examples: {
    bad: pipelinedWith({}, {}, { layers: 3 }),
    good: pipelinedWith({ layersPerStage: [1, 2] }, {}, { layers: 3 }),
  },
  fix: pipelineFixes,
};

export const pipelineDividesLayers: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [pipelineDoesNotDivideLayers],
  ofPlan: ({ degrees, model }) => {
    if (degrees === undefined || model === undefined) return [];
    const { pipeline, layersPerStage } = degrees;
    if (layersPerStage !== undefined) return [];
    const rest = model.layers % pipeline;
    return rest === 0
      ? []
      : [
          report(
            pipelineDoesNotDivideLayers,
            ["parallel", "pipeline"],
            `${model.layers} layers leave ${rest} over when divided into ${pipeline} pipeline stages`,
            "choose a pipeline degree that divides model.layers, or give parallel.layersPerStage",
          ),
        ];
  },
};
