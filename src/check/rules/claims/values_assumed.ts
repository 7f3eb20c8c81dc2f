// Readers of a verdict must know what the plan's source did not say.

import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

export const valuesAssumed: DiagnosticDefinition = {
  code: "values-assumed",
  severity: "info",
  title: "Assumed Values",
  requires: "Tells how many values the plan's source does not give.",
  examples: {
    bad: degreesWith({ assumed: ["model.hidden"] }),
    good: degreesWith(),
  },
  section: "notes",
};

export const assumptionsAreSaid: RuleDefinition = {
  chapter: "claims",
  diagnostics: [valuesAssumed],
  ofPlan: ({ assumed }) =>
    assumed.length === 0
      ? []
      : [
          report(
            valuesAssumed,
            ["assumed"],
            `${assumed.length} values are assumed: the plan's source does not give them`,
          ),
        ],
};
