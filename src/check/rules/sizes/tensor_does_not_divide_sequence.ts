// Every tensor rank has as many tokens of a sequence.

import { degreesWith } from "../../example.ts";
import { drop, put } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const tensorDoesNotDivideSequence: DiagnosticDefinition = {
  code: "tensor-does-not-divide-sequence",
  severity: "error",
  title: "Tensor Does Not Divide Sequence",
  requires: "With sequence parallelism the sequence is a multiple of the tensor degree.",
  examples: {
    bad: degreesWith({ workload: { sequence: 5 }, parallel: { sequence: true } }),
    good: degreesWith({ workload: { sequence: 4 }, parallel: { sequence: true } }),
  },
  fix: (faulty) => [
    {
      patch: [drop(["parallel", "sequence"])],
      description: "parallel.sequence is left out",
      consequence: "every tensor rank computes whole norms",
    },
    ...(faulty.plan?.degrees === undefined
      ? []
      : [
          {
            patch: [
              put(
                faulty,
                ["workload", "sequence"],
                Math.ceil(faulty.plan.workload.sequence / faulty.plan.degrees.tensor) *
                  faulty.plan.degrees.tensor,
              ),
            ],
            description: "workload.sequence is rounded up to a multiple of the tensor degree",
            consequence: "sequences are longer, or padded",
          },
        ]),
  ],
};

export const tensorDividesSequence: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [tensorDoesNotDivideSequence],
  ofPlan: ({ degrees, workload: { mode, sequence } }) => {
    // Steps of serving have tokens of several requests, which are divided as evenly as they can be.
    if (mode === "serving" || degrees?.sequence !== true) return [];
    if (sequence % degrees.tensor === 0) return [];
    return [
      report(
        tensorDoesNotDivideSequence,
        ["workload", "sequence"],
        `sequence ${sequence} leaves ${sequence % degrees.tensor} over when split over ${degrees.tensor} tensor ranks (parallel.sequence)`,
        `make workload.sequence a multiple of ${degrees.tensor}, or leave parallel.sequence out`,
      ),
    ];
  },
};
