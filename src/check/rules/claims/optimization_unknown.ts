// A name nobody knows is a typing error more often than a discovery.

import { knownOptimizations } from "../../../plan/optimizations.ts";
import { suggest } from "../../../plan/suggestion.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const optimizationUnknown: DiagnosticDefinition = {
  code: "optimization-unknown",
  severity: "warning",
  title: "Optimization Unknown",
  requires: "Optimizations have the field's names.",
  examples: {
    bad: degreesWith({ optimizations: ["fused-atention"] }),
    good: degreesWith({ optimizations: ["fused-attention"] }),
  },
};

export const optimizationsAreKnown: RuleDefinition = {
  chapter: "claims",
  diagnostics: [optimizationUnknown],
  ofPlan: ({ optimizations }) =>
    optimizations.flatMap((name, i) => {
      if (knownOptimizations.includes(name)) return [];
      const near = suggest(name, knownOptimizations);
      return [
        report(
          optimizationUnknown,
          ["optimizations", i],
          `unknown optimization ${JSON.stringify(name)}`,
          near === undefined
            ? `known are ${knownOptimizations.join(", ")}`
            : `did you mean ${JSON.stringify(near)}?`,
        ),
      ];
    }),
};
