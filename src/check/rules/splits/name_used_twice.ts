// Names tell stages and communications apart in reports.

import { valueAt } from "../../../plan/document.ts";
import { gatherToB, reduceToC, stagesWith } from "../../example.ts";
import { type Fix, put } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const renamed: Fix = (faulty, { path }) => {
  const name = valueAt(faulty.value, path);
  return [
    {
      patch: [put(faulty, path, `${String(name)}_${String(path[1])}`)],
      description: `it is now named ${String(name)}_${String(path[1])}`,
      consequence: "nothing else changes",
    },
  ];
};

const nameUsedTwice: DiagnosticDefinition = {
  code: "name-used-twice",
  severity: "error",
  title: "Name Used Twice",
  requires: "Stages have names of their own, and so have communications.",
  examples: {
    bad: stagesWith({ communications: [gatherToB, { ...reduceToC, name: "ab" }] }),
    good: stagesWith(),
  },
  fix: renamed,
};

export const namesAreUnique: RuleDefinition = {
  chapter: "splits",
  diagnostics: [nameUsedTwice],
  ofPlan: (plan) =>
    plan.degrees === undefined
      ? [...repeated("stages", plan.stages), ...repeated("communications", plan.communications)]
      : [],
};

function repeated(key: "stages" | "communications", items: readonly { name: string }[]) {
  const seen = new Set<string>();
  return items.flatMap(({ name }, i) =>
    seen.size < seen.add(name).size
      ? []
      : [
          report(
            nameUsedTwice,
            [key, i, "name"],
            `${JSON.stringify(name)} names more than one of the ${key}`,
            "give each a name of its own",
          ),
        ],
  );
}
