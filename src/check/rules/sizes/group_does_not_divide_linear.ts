// Column parallelism splits the output, row parallelism the input, evenly. The rows of an embedding are token ids,
// which need not be shared evenly.

import { columnLayer, layersWith, oneStage, stagesWith } from "../../example.ts";
import { groupSizeFixes } from "../../repair/group_sizes.ts";
import type { DiagnosticDefinition, RuleDefinition } from "../../rule.ts";
import { divides, perLayer } from "./group_division.ts";

const groupDoesNotDivideOutput: DiagnosticDefinition = {
  code: "group-does-not-divide-output",
  severity: "error",
  title: "Group Does Not Divide Output",
  requires: "A column-parallel output is a multiple of its GPUs.",
  examples: {
    bad: layersWith({ a: [{ ...columnLayer, out: 13 }] }),
    good: stagesWith(),
  },
  fix: groupSizeFixes(),
};

const groupDoesNotDivideInput: DiagnosticDefinition = {
  code: "group-does-not-divide-input",
  severity: "error",
  title: "Group Does Not Divide Input",
  requires: "A row-parallel input is a multiple of its GPUs.",
  examples: {
    bad: oneStage([{ op: "linear", in: 7, out: 8, parallel: { kind: "row", gpus: [0, 1] } }]),
    good: oneStage([{ op: "linear", in: 8, out: 8, parallel: { kind: "row", gpus: [0, 1] } }]),
  },
  fix: groupSizeFixes(),
};

const groupDoesNotDivideHidden: DiagnosticDefinition = {
  code: "group-does-not-divide-hidden",
  severity: "error",
  title: "Group Does Not Divide Hidden",
  requires: "A column-parallel embedding's width is a multiple of its GPUs.",
  examples: {
    bad: oneStage([
      { op: "embedding", vocabulary: 10, hidden: 7, parallel: { kind: "column", gpus: [0, 1] } },
    ]),
    good: oneStage([
      { op: "embedding", vocabulary: 10, hidden: 8, parallel: { kind: "column", gpus: [0, 1] } },
    ]),
  },
  fix: groupSizeFixes(({ model }) => model?.hidden),
};

export const groupDividesLinear: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [groupDoesNotDivideOutput, groupDoesNotDivideInput, groupDoesNotDivideHidden],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    if (layer.op === "linear" && layer.split === "column") {
      return divides(plan, placed, groupDoesNotDivideOutput, "out", layer.out);
    }
    if (layer.op === "linear" && layer.split === "row") {
      return divides(plan, placed, groupDoesNotDivideInput, "in", layer.in);
    }
    if (layer.op === "embedding" && layer.split === "column") {
      return divides(plan, placed, groupDoesNotDivideHidden, "hidden", layer.hidden);
    }
    return [];
  }),
};
