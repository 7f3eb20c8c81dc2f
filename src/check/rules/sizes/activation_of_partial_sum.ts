// The activation of a sum is not the sum of activations.

import { fieldPath, nameOf, placedLayers, groupSize } from "../../../plan/layers.ts";
import { oneStage } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const activationOfPartialSum: DiagnosticDefinition = {
  code: "activation-of-partial-sum",
  severity: "error",
  title: "Activation Of Partial Sum",
  requires: "A row-parallel layer has no activation: that of a sum is not the sum of activations.",
  examples: {
    bad: oneStage([
      { op: "linear", in: 8, out: 8, activation: "relu", parallel: { kind: "row", gpus: [0, 1] } },
    ]),
    good: oneStage([
      {
        op: "linear",
        in: 8,
        out: 8,
        activation: "relu",
        parallel: { kind: "column", gpus: [0, 1] },
      },
    ]),
  },
  fix: leaveOut("the layer has no activation"),
};

export const rowSplitHasNoActivation: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [activationOfPartialSum],
  ofPlan: (plan) =>
    placedLayers(plan).flatMap((each) => {
      const { layer } = each;
      if (
        layer.op !== "linear" ||
        layer.activation === "none" ||
        layer.split !== "row" ||
        groupSize(layer) === 1
      ) {
        return [];
      }
      return [
        report(
          activationOfPartialSum,
          fieldPath(plan, each, "activation"),
          `${nameOf(plan, each)} is row-parallel: ${layer.activation} would act on partial sums, before they are reduced`,
          "move the activation to a column-parallel layer",
        ),
      ];
    }),
};
