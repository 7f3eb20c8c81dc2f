// Every key and value head serves the same number of query heads.

import type { Diagnostic } from "../../../plan/diagnostic.ts";
import { fieldPath, nameOf, type PlacedLayer } from "../../../plan/layers.ts";
import type { GatedDeltaLayer } from "../../../plan/layers/gated_delta.ts";
import type { Plan } from "../../../plan/plan.ts";
import { degreesWith } from "../../example.ts";
import { sizesAt } from "../../repair/attention_sizes.ts";
import { divisorAtMost } from "../../../plan/divisors.ts";
import { setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { perLayer } from "./group_division.ts";

const kvHeadsDoNotDivideHeads: DiagnosticDefinition = {
  code: "kv-heads-do-not-divide-heads",
  severity: "error",
  title: "Kv Heads Do Not Divide Heads",
  requires: "Every KV head serves as many query heads.",
  examples: {
    bad: degreesWith({ model: { kvHeads: 3 } }),
    good: degreesWith({ model: { kvHeads: 2 } }),
  },
  fix: (faulty, { path }) => {
    const { heads, kvHeads } = sizesAt(faulty, path.slice(0, -1));
    return heads === undefined || kvHeads === undefined
      ? []
      : [
          setNumber(
            faulty,
            path,
            divisorAtMost(heads, kvHeads),
            "more query heads share each key head",
          ),
          setNumber(
            faulty,
            path,
            heads,
            "every query head has a key head of its own: a larger cache",
          ),
        ];
  },
};

export const kvHeadsDivideHeads: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [kvHeadsDoNotDivideHeads],
  ofPlan: perLayer((plan, placed) => {
    const { layer } = placed;
    if (layer.op === "gated-delta") return keysOfValues(plan, placed, layer);
    if (layer.op !== "attention" || layer.heads % layer.kvHeads === 0) return [];
    return [
      report(
        kvHeadsDoNotDivideHeads,
        fieldPath(plan, placed, "kvHeads"),
        `heads ${layer.heads} of ${nameOf(plan, placed)} is no multiple of kvHeads ${layer.kvHeads}`,
        "choose kvHeads that divides heads",
      ),
    ];
  }),
};

/** Of linear attention each key head serves as many value heads. */
function keysOfValues(
  plan: Plan,
  placed: PlacedLayer,
  { keyHeads, valueHeads }: GatedDeltaLayer,
): Diagnostic[] {
  if (valueHeads % keyHeads === 0) return [];
  return [
    report(
      kvHeadsDoNotDivideHeads,
      fieldPath(plan, placed, "keyHeads"),
      `valueHeads ${valueHeads} of ${nameOf(plan, placed)} is no multiple of keyHeads ${keyHeads}`,
      "choose keyHeads that divides valueHeads",
    ),
  ];
}
