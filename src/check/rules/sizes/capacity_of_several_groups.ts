// Each expert group counts its own tokens against the capacity, which the unsharded run cannot repeat.

import { fieldPath, placedLayers } from "../../../plan/layers.ts";
import type { RuleDefinition } from "../../rule.ts";
import { layerNotRunnable, notRunnable } from "./layer_not_runnable.ts";

export const capacityHasOneGroup: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [layerNotRunnable],
  ofPlan: (plan) =>
    placedLayers(plan).flatMap((each) => {
      const { layer } = each;
      if (
        layer.op !== "moe" ||
        layer.capacityFactor === undefined ||
        layer.expertGroups.length < 2
      ) {
        return [];
      }
      return [
        notRunnable(
          fieldPath(plan, each, "capacityFactor"),
          `a capacity of ${layer.expertGroups.length} expert groups, each counting its own tokens, cannot run yet`,
          "leave capacityFactor out, or use one expert group",
        ),
      ];
    }),
};
