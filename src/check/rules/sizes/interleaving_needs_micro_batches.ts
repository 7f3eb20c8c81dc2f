// With fewer micro-batches than ranks a chunk's turn comes before its input.

import { pipelinedWith } from "../../example.ts";
import { drop, fixOfPlan, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const interleavingNeedsMicroBatches: DiagnosticDefinition = {
  code: "interleaving-needs-micro-batches",
  severity: "error",
  title: "Interleaving Needs Micro Batches",
  requires: "Interleaving needs at least as many micro-batches as pipeline ranks.",
  examples: {
    bad: pipelinedWith({ virtualStages: 2 }, { microBatches: 1 }, { layers: 4 }),
    good: pipelinedWith({ virtualStages: 2 }, {}, { layers: 4 }),
  },
  fix: fixOfPlan(({ degrees, workload }, faulty) => {
    const pipeline = degrees?.pipeline ?? 1;
    const data = degrees?.data ?? 1;
    const divisor = Array.from({ length: workload.batch }, (_, i) => i + 1).find(
      (m) => m >= pipeline && workload.batch % (m * data) === 0,
    );
    return [
      ...(divisor === undefined
        ? []
        : [setNumber(faulty, ["workload", "microBatches"], divisor, "smaller micro-batches")]),
      {
        patch: [drop(["parallel", "virtualStages"])],
        description: "parallel.virtualStages is left out",
        consequence: "pipeline ranks are not interleaved",
      },
    ];
  }),
};

export const interleavingIsFilled: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [interleavingNeedsMicroBatches],
  ofPlan: ({ degrees, workload: { microBatches } }) => {
    const { virtualStages = 1, pipeline = 1 } = degrees ?? {};
    return virtualStages === 1 || pipeline === 1 || microBatches >= pipeline
      ? []
      : [
          report(
            interleavingNeedsMicroBatches,
            ["workload", "microBatches"],
            `interleaving over ${pipeline} pipeline ranks needs at least ${pipeline} micro-batches, found ${microBatches}`,
            `use ${pipeline} or more, or leave parallel.virtualStages out`,
          ),
        ];
  },
};
