// Without a head dimension of its own, a head is hidden ÷ heads wide.

import type { Diagnostic } from "../../../plan/diagnostic.ts";
import type { Path } from "../../../plan/document.ts";
import { degreesWith } from "../../example.ts";
import { sizesAt } from "../../repair/attention_sizes.ts";
import { divisorAtMost } from "../../../plan/divisors.ts";
import { roundUp, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const headsDoNotDivideHidden: DiagnosticDefinition = {
  code: "heads-do-not-divide-hidden",
  severity: "error",
  title: "Heads Do Not Divide Hidden",
  requires: "Hidden is a multiple of heads, unless headDim is given.",
  examples: {
    bad: degreesWith({ model: { hidden: 34 } }),
    good: degreesWith({ model: { hidden: 34, headDim: 8 } }),
  },
  fix: (faulty, { path }) => {
    const at = path.slice(0, -1);
    const { hidden, heads } = sizesAt(faulty, at);
    if (hidden === undefined || heads === undefined) return [];
    const headDim = roundUp(Math.max(1, Math.floor(hidden / heads)), 4);
    return [
      setNumber(
        faulty,
        [...at, "headDim"],
        headDim,
        `heads together are ${heads * headDim} wide, hidden is ${hidden}`,
      ),
      setNumber(faulty, path, divisorAtMost(hidden, heads), "fewer and wider heads"),
    ];
  },
};

export const headsDivideHidden: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [headsDoNotDivideHidden],
  ofPlan: (_plan, written) => {
    const model = written?.model;
    if (model !== undefined) {
      const { hidden, heads, headDim } = model;
      return headDim !== undefined || hidden % heads === 0
        ? []
        : [headsLeaveRest(["model", "heads"], hidden, heads)];
    }
    return (written?.stages ?? []).flatMap(({ layers }, s) =>
      layers.flatMap((layer, l) => {
        if (layer.op !== "attention" || layer.headDim !== undefined) return [];
        const { hidden, heads } = layer;
        return hidden % heads === 0
          ? []
          : [headsLeaveRest(["stages", s, "layers", l, "heads"], hidden, heads)];
      }),
    );
  },
};

function headsLeaveRest(path: Path, hidden: number, heads: number): Diagnostic {
  return report(
    headsDoNotDivideHidden,
    path,
    `hidden ${hidden} leaves ${hidden % heads} over when divided into ${heads} heads`,
    "choose heads that divides hidden, or give headDim",
  );
}
