// What `src/plan/normalise.ts` refuses: a file that is no plan, or a plan that is too large.

import { valueAt } from "../../../plan/document.ts";
import { degreesWith, gatherToB, stagesWith } from "../../example.ts";
import { drop, type Fix, leaveOut } from "../../repair/fix.ts";
import type { DiagnosticDefinition, RuleDefinition } from "../../rule.ts";

const oneForm: Fix = ({ value }, { path }) => [
  {
    patch: [drop(path)],
    description: `${path.join(".")} is left out`,
    consequence: "the explicit stages decide",
  },
  {
    patch: [
      drop(["stages"]),
      ...(valueAt(value, ["communications"]) === undefined ? [] : [drop(["communications"])]),
    ],
    description: "stages and communications are left out",
    consequence: "stages follow from the model and the degrees",
  },
];

const planHasNoLayers: DiagnosticDefinition = {
  code: "plan-has-no-layers",
  severity: "error",
  title: "Plan Has No Layers",
  requires: "A plan gives stages, or a model and degrees.",
  examples: {
    bad: degreesWith({ model: undefined }),
    good: degreesWith(),
  },
};

const planHasTwoForms: DiagnosticDefinition = {
  code: "plan-has-two-forms",
  severity: "error",
  title: "Plan Has Two Forms",
  requires: "A plan gives stages or degrees, not both.",
  examples: {
    bad: stagesWith({ parallel: { tensor: 2 } }),
    good: stagesWith(),
  },
  fix: oneForm,
};

const planTooLarge: DiagnosticDefinition = {
  code: "plan-too-large",
  severity: "error",
  title: "Plan Too Large",
  requires: "Layers times GPUs is at most 1,000,000.",
  examples: {
    bad: degreesWith({ model: { layers: 10_000 }, parallel: { data: 1000 } }),
    good: degreesWith(),
  },
};

const worldTooLarge: DiagnosticDefinition = {
  code: "world-too-large",
  severity: "error",
  title: "World Too Large",
  requires: "tensor × context × pipeline × data is at most 65,536.",
  examples: {
    bad: degreesWith({ parallel: { tensor: 512, data: 512 } }),
    good: degreesWith(),
  },
};

const communicationsWithoutStages: DiagnosticDefinition = {
  code: "communications-without-stages",
  severity: "error",
  title: "Communications Without Stages",
  requires: "Communications stand between explicit stages.",
  examples: {
    bad: degreesWith({ communications: [gatherToB] }),
    good: stagesWith(),
  },
  fix: leaveOut("communications follow from the degrees"),
};

export const planHasOneForm: RuleDefinition = {
  chapter: "structure",
  diagnostics: [
    planHasNoLayers,
    planHasTwoForms,
    planTooLarge,
    worldTooLarge,
    communicationsWithoutStages,
  ],
};
