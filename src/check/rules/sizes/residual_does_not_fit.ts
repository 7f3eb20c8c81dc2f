// A residual or a branch reads the input of an earlier layer of its stage, of the same width and rows.

import { fieldPath, nameOf, placedLayers } from "../../../plan/layers.ts";
import { readsAgain } from "../../../plan/layers/layers.ts";
import { linearOnGpu0, oneStage, onGpu0, residualFrom } from "../../example.ts";
import { drop, setNumber } from "../../repair/fix.ts";
import { layerPath } from "../../repair/layer_at.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const residualFromNoEarlierLayer: DiagnosticDefinition = {
  code: "residual-from-no-earlier-layer",
  severity: "error",
  title: "Residual From No Earlier Layer",
  requires: "A residual, like a branch, reads the input of an earlier layer of its stage.",
  examples: {
    bad: oneStage([linearOnGpu0, residualFrom(1)]),
    good: oneStage([linearOnGpu0, residualFrom(0)]),
  },
  fix: (faulty, { path }) => [
    setNumber(
      faulty,
      path,
      Math.max(0, Number(path[3]) - 1),
      "it is the input of the layer just before",
    ),
    {
      patch: [drop(layerPath(path))],
      description: "the layer is left out",
      consequence: "a different model: nothing is added",
    },
  ],
};

const residualOfTokenIds: DiagnosticDefinition = {
  code: "residual-of-token-ids",
  severity: "error",
  title: "Residual Of Token Ids",
  requires: "A residual does not add token ids, and a branch does not go on from them.",
  examples: {
    bad: oneStage([
      { op: "embedding", vocabulary: 9, hidden: 8, parallel: onGpu0 },
      residualFrom(0),
    ]),
    good: oneStage([linearOnGpu0, residualFrom(0)]),
  },
};

const residualDiffersInSize: DiagnosticDefinition = {
  code: "residual-differs-in-size",
  severity: "error",
  title: "Residual Differs In Size",
  requires: "A residual adds values of the same rows and columns; a branch goes on with as many.",
  examples: {
    bad: oneStage([{ ...linearOnGpu0, in: 9 }, residualFrom(0)]),
    good: oneStage([linearOnGpu0, residualFrom(0)]),
  },
};

export const residualsFit: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [residualFromNoEarlierLayer, residualOfTokenIds, residualDiffersInSize],
  ofPlan: (plan) => {
    const placed = placedLayers(plan);
    return placed.flatMap((each, i) => {
      const { layer, layerIndex } = each;
      const from = readsAgain(layer);
      if (from === undefined) return [];
      const verb = layer.op === "residual" ? "adds" : "reads";
      const source = placed[i - layerIndex + from];
      if (source === undefined || from >= layerIndex) {
        return [
          report(
            residualFromNoEarlierLayer,
            fieldPath(plan, each, "from"),
            `${nameOf(plan, each)} ${verb} the input of layer ${from}, which does not stand before it in this stage`,
            `name a layer from 0 to ${layerIndex - 1}`,
          ),
        ];
      }
      if (source.layer.op === "embedding") {
        return [
          report(
            residualOfTokenIds,
            fieldPath(plan, each, "from"),
            `${nameOf(plan, each)} ${verb} the input of an embedding, which is token ids`,
            "name a later layer",
          ),
        ];
      }
      const width = layer.op === "branch" ? layer.hidden : each.inputWidth;
      const sameSize = source.inputWidth === width && source.inputRows === each.inputRows;
      return sameSize
        ? []
        : [
            report(
              residualDiffersInSize,
              fieldPath(plan, each, "from"),
              `${nameOf(plan, each)} ${verb} ${source.inputRows} × ${source.inputWidth} values, and has ${each.inputRows} × ${width}`,
              "name a layer that works on the same rows and columns",
            ),
          ];
    });
  },
};
