// What the plan says and the run does not do yet is named, so that no figure is misread.

import { fieldsNotRun } from "../../../plan/fields_not_run.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const checkedButNotRun: DiagnosticDefinition = {
  code: "checked-but-not-run",
  severity: "warning",
  title: "Checked But Not Run",
  requires: "Tells what the plan says and the run does not do yet.",
  examples: {
    bad: degreesWith({
      hardware: { gpus: 4 },
      workload: { sequence: 8 },
      model: { moe: { experts: 6, topK: 2, dense: true, capacityFactor: 1 } },
      parallel: { context: 2 },
    }),
    good: degreesWith({ workload: { sequence: 4 }, parallel: { sequence: true } }),
  },
};

export const unusedFieldsAreSaid: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [checkedButNotRun],
  ofPlan: (plan) =>
    fieldsNotRun(plan).map(({ path, instead }) =>
      report(
        checkedButNotRun,
        path,
        `${path.join(".")} is checked, but the run does not use it yet: ${instead}`,
        "read the measured figures accordingly",
      ),
    ),
};
