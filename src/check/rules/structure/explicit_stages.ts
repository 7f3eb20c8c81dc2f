// What `src/plan/stages_explicit.ts` refuses: layers and communications of which nothing says where they stand.

import { gatherToB, layersWith, stagesWith } from "../../example.ts";
import { setCommunication } from "../../repair/communication.ts";
import { drop, type Fix } from "../../repair/fix.ts";
import type { DiagnosticDefinition, RuleDefinition } from "../../rule.ts";

const afterAnotherStage: Fix = (faulty, { path }) => {
  const stages = faulty.written?.stages ?? [];
  return [
    ...stages
      .slice(0, -1)
      .slice(0, 8)
      .map(({ name }) =>
        setCommunication(faulty, [...path.slice(0, 2), "after"], name, `it follows stage ${name}`),
      ),
    {
      patch: [drop(path.slice(0, 2))],
      description: "it is left out",
      consequence: "nothing is moved there",
    },
  ];
};

const layerWithoutGpus: DiagnosticDefinition = {
  code: "layer-without-gpus",
  severity: "error",
  title: "Layer Without Gpus",
  requires: "The first layer names its GPUs; later ones may take them over.",
  examples: {
    bad: layersWith({ a: [{ op: "norm", hidden: 8 }] }),
    good: stagesWith(),
  },
};

const communicationAfterNoStage: DiagnosticDefinition = {
  code: "communication-after-no-stage",
  severity: "error",
  title: "Communication After No Stage",
  requires: "A communication follows a stage that another one follows.",
  examples: {
    bad: stagesWith({ communications: [{ ...gatherToB, after: "z" }] }),
    good: stagesWith(),
  },
  fix: afterAnotherStage,
};

export const stagesAreComplete: RuleDefinition = {
  chapter: "structure",
  diagnostics: [layerWithoutGpus, communicationAfterNoStage],
};
