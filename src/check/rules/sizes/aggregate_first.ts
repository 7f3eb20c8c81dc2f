// What is aggregated is the result of a layer.

import { fieldPath, nameOf, placedLayers } from "../../../plan/layers.ts";
import { linearOnGpu0, oneStage, onGpu0 } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const aggregateFirst: DiagnosticDefinition = {
  code: "aggregate-first",
  severity: "error",
  title: "Aggregate First",
  requires: "An aggregate has a layer before it, which says how wide its input is.",
  examples: {
    bad: oneStage([{ op: "aggregate", parallel: onGpu0 }]),
    good: oneStage([linearOnGpu0, { op: "aggregate" }]),
  },
};

export const aggregateHasInput: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [aggregateFirst],
  ofPlan: (plan) =>
    placedLayers(plan)
      .slice(0, 1)
      .flatMap((each) =>
        each.layer.op === "aggregate"
          ? [
              report(
                aggregateFirst,
                fieldPath(plan, each),
                `${nameOf(plan, each)} is the first layer: nothing says how wide its input is`,
                "put a layer with dimensions before it",
              ),
            ]
          : [],
      ),
};
