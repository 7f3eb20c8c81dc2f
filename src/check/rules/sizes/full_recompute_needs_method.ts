// Full recomputation says how its layers are grouped, and how many.

import { degreesWith } from "../../example.ts";
import { put } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const path = ["workload", "recompute"];

const fullRecomputeNeedsMethod: DiagnosticDefinition = {
  code: "full-recompute-needs-method",
  severity: "error",
  title: "Full Recompute Needs Method",
  requires: "Full recomputation names its method and its number of layers.",
  examples: {
    bad: degreesWith({ workload: { mode: "training", recompute: { granularity: "full" } } }),
    good: degreesWith({
      workload: {
        mode: "training",
        recompute: { granularity: "full", method: "uniform", layers: 1 },
      },
    }),
  },
  fix: (faulty) => [
    {
      patch: [
        put(faulty, ["workload", "recompute"], {
          granularity: "full",
          method: "uniform",
          layers: 1,
        }),
      ],
      description: "every layer is recomputed on its own (uniform, 1)",
      consequence: "least memory, one more forward pass",
    },
    {
      patch: [put(faulty, ["workload", "recompute"], { granularity: "selective" })],
      description: "recomputation is selective",
      consequence: "only attention is recomputed: more memory, less time",
    },
  ],
};

export const fullRecomputeIsExplained: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [fullRecomputeNeedsMethod],
  ofPlan: ({ workload: { recompute } }) => {
    if (recompute?.granularity !== "full") return [];
    const missing = (["method", "layers"] as const).filter((key) => recompute[key] === undefined);
    return missing.length === 0
      ? []
      : [
          report(
            fullRecomputeNeedsMethod,
            path,
            `full recomputation needs its method and its number of layers; ${missing.join(" and ")} ${missing.length === 1 ? "is" : "are"} missing`,
            'such as { "granularity": "full", "method": "uniform", "layers": 1 }',
          ),
        ];
  },
};
