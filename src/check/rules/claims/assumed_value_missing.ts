// What is marked as assumed is there: in the file, or filled in by a default.

import { assumedPath } from "../../../plan/assumed.ts";
import type { Path } from "../../../plan/document.ts";
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

/** Whatever the case of its letters, and from whichever part of the plan it begins. */
function namesSomething(path: Path, plans: readonly unknown[]): boolean {
  return (
    path.length === 0 ||
    plans.some((plan) => beginningsIn(plan).some((part) => valueAtFolded(part, path) !== undefined))
  );
}

/** The plan and its parts: `moe.experts` is that of the model. */
function beginningsIn(plan: unknown): unknown[] {
  return [plan, ...(typeof plan === "object" && plan !== null ? Object.values(plan) : [])];
}

function valueAtFolded(root: unknown, path: Path): unknown {
  let value = root;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return undefined;
    const wanted = String(key).toLowerCase();
    value = Object.entries(value).find(([name]) => name.toLowerCase() === wanted)?.[1];
  }
  return value;
}
