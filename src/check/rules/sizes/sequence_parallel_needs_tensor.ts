// Sequence parallelism splits norms over the tensor group, so there must be one.

import { degreesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const sequenceParallelNeedsTensor: DiagnosticDefinition = {
  code: "sequence-parallel-needs-tensor",
  severity: "error",
  title: "Sequence Parallel Needs Tensor",
  requires: "Sequence parallelism needs a tensor group.",
  examples: {
    bad: degreesWith({ parallel: { tensor: 1, sequence: true } }),
    good: degreesWith({ workload: { sequence: 4 }, parallel: { sequence: true } }),
  },
  fix: leaveOut("every rank computes whole norms"),
};

export const sequenceParallelHasTensor: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [sequenceParallelNeedsTensor],
  ofPlan: ({ degrees }) =>
    degrees?.sequence !== true || degrees.tensor > 1
      ? []
      : [
          report(
            sequenceParallelNeedsTensor,
            ["parallel", "sequence"],
            "sequence parallelism splits norms over the tensor group, but tensor is 1",
            "set parallel.tensor above 1, or leave parallel.sequence out",
          ),
        ],
};
