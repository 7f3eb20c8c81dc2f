// Every pipeline rank has as many layers in each of its chunks.

import { pipelinedWith } from "../../example.ts";
import { divisorAtMost } from "../../../plan/divisors.ts";
import { drop, fixOfPlan, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const virtualStageFixes = fixOfPlan(({ degrees, model }, faulty) => {
  if (degrees === undefined || model === undefined) return [];
  const own = model.layers / degrees.pipeline;
  return [
    setNumber(
      faulty,
      ["parallel", "virtualStages"],
      divisorAtMost(own, degrees.virtualStages ?? 1),
      "fewer chunks: a larger bubble",
    ),
    {
      patch: [drop(["parallel", "virtualStages"])],
      description: "parallel.virtualStages is left out",
      consequence: "pipeline ranks are not interleaved",
    },
  ];
});

const virtualStagesDoNotDivideLayers: DiagnosticDefinition = {
  code: "virtual-stages-do-not-divide-layers",
  severity: "error",
  title: "Virtual Stages Do Not Divide Layers",
  requires: "The layers of a pipeline rank are a multiple of its virtual stages.",
  examples: {
    bad: pipelinedWith({ virtualStages: 2 }),
    good: pipelinedWith({ virtualStages: 2 }, {}, { layers: 4 }),
  },
  fix: virtualStageFixes,
};

export const virtualStagesDivideLayers: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [virtualStagesDoNotDivideLayers],
  ofPlan: ({ degrees, model }) => {
    const { virtualStages = 1, pipeline = 1, layersPerStage } = degrees ?? {};
    if (virtualStages === 1 || model === undefined || model.layers % pipeline !== 0) return [];
    const counts = layersPerStage ?? [model.layers / pipeline];
    const odd = counts.find((count) => count % virtualStages !== 0);
    return odd === undefined
      ? []
      : [
          report(
            virtualStagesDoNotDivideLayers,
            ["parallel", "virtualStages"],
            `${odd} layers of a pipeline rank leave ${odd % virtualStages} over in ${virtualStages} virtual stages`,
            `choose virtualStages that divides ${odd}`,
          ),
        ];
  },
};
