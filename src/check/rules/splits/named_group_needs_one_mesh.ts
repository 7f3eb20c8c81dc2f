// Named groups place ranks only where there is one tensor group: not with pipeline or data degrees.

import { degreesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const namedGroupNeedsOneMesh: DiagnosticDefinition = {
  code: "named-group-needs-one-mesh",
  severity: "error",
  title: "Named Group Needs One Mesh",
  requires: "Groups are named only where there is one: without pipeline and data degrees.",
  examples: {
    bad: degreesWith({ hardware: { gpus: 4 }, parallel: { data: 2, tensorGroup: [0, 1] } }),
    good: degreesWith({ parallel: { tensorGroup: [0, 1] } }),
  },
  fix: leaveOut("groups follow from the degrees"),
};

export const namedGroupsNeedOneMesh: RuleDefinition = {
  chapter: "splits",
  diagnostics: [namedGroupNeedsOneMesh],
  ofPlan: ({ degrees }, written) => {
    if (degrees === undefined || degrees.pipeline * degrees.data === 1) return [];
    const named = (["tensorGroup", "expertGroup"] as const).filter(
      (key) => written?.parallel?.[key] !== undefined,
    );
    const paths = [
      ...named.map((key) => ["parallel", key]),
      ...(written?.tensor_parallel_distribution === undefined
        ? []
        : [["tensor_parallel_distribution"]]),
    ];
    return paths.map((path) =>
      report(
        namedGroupNeedsOneMesh,
        path,
        `a named group cannot say where pipeline ${degrees.pipeline} × data ${degrees.data} copies of it stand`,
        "leave it out: groups follow from the degrees; or write explicit stages",
      ),
    );
  },
};
