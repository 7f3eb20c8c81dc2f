// Attention works within sequences, and aggregation leaves none.

import { fieldPath, nameOf, placedLayers } from "../../../plan/layers.ts";
import { planLayerOf } from "../../../plan/layers/layers.ts";
import { linearOnGpu0, oneStage } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const attentionOnGpu0 = {
  op: "attention",
  hidden: 8,
  heads: 2,
  parallel: { kind: "tensor", gpus: [0] },
};

const sequenceAlreadyAggregated: DiagnosticDefinition = {
  code: "sequence-already-aggregated",
  severity: "error",
  title: "Sequence Already Aggregated",
  requires: "Attention works within sequences, of which an aggregate leaves none.",
  examples: {
    bad: oneStage([linearOnGpu0, { op: "aggregate" }, attentionOnGpu0]),
    good: oneStage([attentionOnGpu0, { op: "aggregate" }]),
  },
};

export const sequencesLastUntilAggregation: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [sequenceAlreadyAggregated],
  ofPlan: (plan) =>
    placedLayers(plan).flatMap((each) => {
      const { layer, aggregated } = each;
      const { mixes, aggregates } = planLayerOf(layer);
      const needsSequences = mixes === "tokens" || aggregates?.(layer) === "sequence";
      return aggregated === "no" || !needsSequences
        ? []
        : [
            report(
              sequenceAlreadyAggregated,
              fieldPath(plan, each),
              `${nameOf(plan, each)} works within sequences, but an aggregate before it has left none`,
              "move it before the aggregate",
            ),
          ];
    }),
};
