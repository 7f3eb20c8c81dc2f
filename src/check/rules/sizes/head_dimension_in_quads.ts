// Our fused attention kernel reads heads in quads.

import { fieldPath, nameOf } from "../../../plan/layers.ts";
import type { RuleDefinition } from "../../rule.ts";
import { perLayer } from "./group_division.ts";
import { layerNotRunnable, notRunnable } from "./layer_not_runnable.ts";

export const headDimensionInQuads: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [layerNotRunnable],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    if (layer.op !== "attention" || layer.headDim % 4 === 0) return [];
    return [
      notRunnable(
        fieldPath(plan, placed, "headDim"),
        `no layer here can run a head dimension of ${layer.headDim}, no multiple of 4, as in ${nameOf(plan, placed)}`,
        `use ${Math.ceil(layer.headDim / 4) * 4}`,
      ),
    ];
  }),
};
