// A layer's input is as wide as the result before it.

import { valueAt } from "../../../plan/document.ts";
import { fieldPath, inputWidthOf, nameOf, placedLayers } from "../../../plan/layers.ts";
import { linearOnGpu0, oneStage } from "../../example.ts";
import { type Fix, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const widthFixes: Fix = (faulty, { path }) => {
  const placed = faulty.plan === undefined ? [] : placedLayers(faulty.plan);
  const at = placed.findIndex(
    ({ stageIndex, layerIndex }) => stageIndex === path[1] && layerIndex === path[3],
  );
  const before = placed[at - 1];
  const here = placed[at];
  if (before?.outputWidth === undefined || here === undefined || path[0] !== "stages") return [];
  const wanted = valueAt(faulty.value, path);
  const earlier = ["stages", before.stageIndex, "layers", before.layerIndex, "out"];
  return [
    setNumber(faulty, path, before.outputWidth, "the layer takes what the one before gives"),
    ...(before.layer.op === "linear" && typeof wanted === "number"
      ? [setNumber(faulty, earlier, wanted, "the layer before gives what this one takes")]
      : []),
  ];
};

const dimensionsDisagree: DiagnosticDefinition = {
  code: "dimensions-disagree",
  severity: "error",
  title: "Dimensions Disagree",
  requires: "A layer takes as many columns as the one before gives.",
  examples: {
    bad: oneStage([linearOnGpu0, { ...linearOnGpu0, in: 9 }]),
    good: oneStage([linearOnGpu0, linearOnGpu0]),
  },
  fix: widthFixes,
};

export const widthsAgree: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [dimensionsDisagree],
  ofPlan: (plan) => {
    const placed = placedLayers(plan);
    return placed.flatMap((each, i) => {
      const wanted = inputWidthOf(each.layer);
      const before = placed[i - 1]?.outputWidth;
      if (wanted === undefined || before === undefined || wanted === before) return [];
      const field = each.layer.op === "linear" ? "in" : "hidden";
      return [
        report(
          dimensionsDisagree,
          fieldPath(plan, each, field),
          `${nameOf(plan, each)} takes ${wanted} columns, but the layer before it gives ${before}`,
          `set ${field} to ${before}, or mend the layer before`,
        ),
      ];
    });
  },
};
