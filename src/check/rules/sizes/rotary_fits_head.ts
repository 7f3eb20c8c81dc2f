// What rotary positions turn are pairs within a head, and a scaling by pairs has a factor for each.

import type { Path } from "../../../plan/document.ts";
import { fieldPath, nameOf, type PlacedLayer } from "../../../plan/layers.ts";
import type { Plan } from "../../../plan/plan.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { perLayer } from "./group_division.ts";

const rotaryDoesNotFitHead: DiagnosticDefinition = {
  code: "rotary-does-not-fit-head",
  severity: "error",
  title: "Rotary Does Not Fit Head",
  requires:
    "Rotary positions turn an even number of a head's numbers, and LongRoPE gives a factor for each pair of them.",
  examples: {
    bad: degreesWith({ model: { positions: { kind: "rotary", dims: 3 } } }),
    good: degreesWith({ model: { positions: { kind: "rotary", dims: 4 } } }),
  },
};

export const rotaryFitsHead: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [rotaryDoesNotFitHead],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    if (layer.op !== "attention" || layer.rotary === undefined) return [];
    const { dims, scaling } = layer.rotary;
    const width = layer.latent?.rotaryDim ?? layer.headDim;
    if (dims % 2 !== 0 || dims > width) {
      return [
        report(
          rotaryDoesNotFitHead,
          rotaryPath(plan, placed, "dims"),
          `rotary positions turn ${dims} numbers of each head of ${nameOf(plan, placed)}, which has ${width}`,
          "choose an even number, at most as many as a head has",
        ),
      ];
    }
    if (scaling?.kind !== "longrope") return [];
    const lists = [scaling.shortFactors.length, scaling.longFactors.length];
    if (lists.every((length) => length === dims / 2)) return [];
    return [
      report(
        rotaryDoesNotFitHead,
        rotaryPath(plan, placed, "scaling"),
        `the scaling of ${nameOf(plan, placed)} has ${lists.join(" and ")} factors for ${dims / 2} pairs`,
        "give a factor for each pair in both lists",
      ),
    ];
  }),
};

function rotaryPath(plan: Plan, placed: PlacedLayer, field: string): Path {
  return plan.model === undefined
    ? [...fieldPath(plan, placed), "rotary", field]
    : ["model", "positions", field];
}
