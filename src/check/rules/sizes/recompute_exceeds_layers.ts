// No pipeline rank recomputes more layers than it has.

import type { Plan } from "../../../plan/plan.ts";
import { degreesWith } from "../../example.ts";
import { fixOfPlan, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const path = ["workload", "recompute"];

const recomputeExceedsLayers: DiagnosticDefinition = {
  code: "recompute-exceeds-layers",
  severity: "error",
  title: "Recompute Exceeds Layers",
  requires: "A pipeline rank recomputes at most the layers it has.",
  examples: {
    bad: degreesWith({
      workload: {
        mode: "training",
        recompute: { granularity: "full", method: "block", layers: 3 },
      },
    }),
    good: degreesWith({
      workload: {
        mode: "training",
        recompute: { granularity: "full", method: "block", layers: 2 },
      },
    }),
  },
  fix: fixOfPlan((plan, faulty) => {
    const own = layersOfRank(plan);
    const consequence = "every layer of a pipeline rank is recomputed";
    return own === undefined ? [] : [setNumber(faulty, [...path, "layers"], own, consequence)];
  }),
};

export const recomputeWithinLayers: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [recomputeExceedsLayers],
  ofPlan: (plan) => {
    const { recompute } = plan.workload;
    const own = layersOfRank(plan);
    if (own === undefined || recompute?.granularity !== "full") return [];
    return (recompute.layers ?? 0) <= own
      ? []
      : [
          report(
            recomputeExceedsLayers,
            [...path, "layers"],
            `${recompute.layers} layers are to be recomputed, a pipeline rank has ${own}`,
            `use ${own} or less`,
          ),
        ];
  },
};

function layersOfRank({ degrees, model }: Plan): number | undefined {
  return degrees === undefined || model === undefined
    ? undefined
    : Math.max(...(degrees.layersPerStage ?? [Math.ceil(model.layers / degrees.pipeline)]));
}
