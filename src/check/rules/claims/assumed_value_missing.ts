// What is marked as assumed is there: in the file, or filled in by a default.

import { assumedPath, namesSomething } from "../../../plan/assumed.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const assumedValueMissing: DiagnosticDefinition = {
  code: "assumed-value-missing",
  severity: "error",
  title: "Assumed Value Missing",
  requires: "What is marked as assumed is in the plan.",
  examples: {
    bad: degreesWith({ assumed: ["model.hiden"] }),
    good: degreesWith({ assumed: ["model.hidden"] }),
  },
};

export const assumedValuesExist: RuleDefinition = {
  chapter: "claims",
  diagnostics: [assumedValueMissing],
  ofPlan: (plan, written) => {
    const filledIn = { ...plan, parallel: plan.degrees };
    return (written?.assumed ?? []).flatMap((path, i) =>
      namesSomething(assumedPath(path), [written, filledIn])
        ? []
        : [
            report(
              assumedValueMissing,
              ["assumed", i],
              `${path} is marked as assumed, but the plan gives no such value`,
              "write keys with dots between them, such as model.hidden or stages.0.layers.0.in",
            ),
          ],
    );
  },
};
