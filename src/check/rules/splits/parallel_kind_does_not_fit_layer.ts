// Column and row are ways to split one weight; layers of several weights say tensor, data or expert.

import { valueAt } from "../../../plan/document.ts";
import { planLayerOf } from "../../../plan/layers/layers.ts";
import { oneStage } from "../../example.ts";
import { drop, type Fix, put } from "../../repair/fix.ts";
import { layerAt } from "../../repair/layer_at.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { writtenLayers } from "./written_layers.ts";

const kindFixes: Fix = (faulty, { path }) => {
  const op = layerAt(faulty, path)?.op;
  if (op === undefined) return [];
  const { kinds } = planLayerOf({ op });
  return kinds
    .filter((kind, i) => i === 0 || kind === "replicated")
    .map((kind) => ({
      patch: [
        put(faulty, path, kind),
        ...(valueAt(faulty.value, [...path.slice(0, -1), "splitDim"]) === undefined ||
        kind === "column"
          ? []
          : [drop([...path.slice(0, -1), "splitDim"])]),
      ],
      description: `the layer is ${kind}-parallel`,
      consequence: "the kind that such a layer has",
    }));
};

const parallelKindDoesNotFitLayer: DiagnosticDefinition = {
  code: "parallel-kind-does-not-fit-layer",
  severity: "error",
  title: "Parallel Kind Does Not Fit Layer",
  requires:
    "Column and row split one weight; layers of several weights are tensor-, data- or expert-parallel.",
  examples: {
    bad: oneStage([{ op: "mlp", hidden: 8, ffn: 16, parallel: { kind: "column", gpus: [0, 1] } }]),
    good: oneStage([{ op: "mlp", hidden: 8, ffn: 16, parallel: { kind: "tensor", gpus: [0, 1] } }]),
  },
  fix: kindFixes,
};

export const kindFitsLayer: RuleDefinition = {
  chapter: "splits",
  diagnostics: [parallelKindDoesNotFitLayer],
  ofPlan: (_plan, written) =>
    writtenLayers(written).flatMap(({ layer, parallel, path }) => {
      const { kinds } = planLayerOf(layer);
      return kinds.includes(parallel.kind)
        ? []
        : [
            report(
              parallelKindDoesNotFitLayer,
              [...path, "kind"],
              `a layer of op ${layer.op} cannot be ${parallel.kind}-parallel`,
              `choose one of ${kinds.join(", ")}`,
            ),
          ];
    }),
};
