// Context parallelism gives every rank two slices of a sequence, so that causal work is even.

import { degreesWith } from "../../example.ts";
import { divisorAtMost } from "../../../plan/divisors.ts";
import { drop, fixOfPlan, roundUp, setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const contextFixes = fixOfPlan(({ degrees, workload: { sequence } }, faulty) => {
  const context = degrees?.context ?? 1;
  return [
    ...(sequence % 2 === 0
      ? [
          setNumber(
            faulty,
            ["parallel", "context"],
            divisorAtMost(sequence / 2, context),
            "longer slices: more activations per GPU",
          ),
        ]
      : []),
    setNumber(
      faulty,
      ["workload", "sequence"],
      roundUp(sequence, 2 * context),
      "sequences are longer, or padded",
    ),
    {
      patch: [drop(["parallel", "context"])],
      description: "parallel.context is left out",
      consequence: "every rank has whole sequences",
    },
  ];
});

const contextDoesNotDivideSequence: DiagnosticDefinition = {
  code: "context-does-not-divide-sequence",
  severity: "error",
  title: "Context Does Not Divide Sequence",
  requires: "The sequence is a multiple of 2 × context.",
  examples: {
    bad: degreesWith({
      hardware: { gpus: 4 },
      workload: { sequence: 6 },
      parallel: { context: 2 },
    }),
    good: degreesWith({
      hardware: { gpus: 4 },
      workload: { sequence: 8 },
      parallel: { context: 2 },
    }),
  },
  fix: contextFixes,
};

export const contextDividesSequence: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [contextDoesNotDivideSequence],
  ofPlan: ({ degrees, workload: { sequence } }) => {
    const context = degrees?.context ?? 1;
    const rest = sequence % (2 * context);
    if (context === 1 || rest === 0) return [];
    return [
      report(
        contextDoesNotDivideSequence,
        ["parallel", "context"],
        `sequence ${sequence} leaves ${rest} over when cut into 2 × ${context} slices for context parallelism`,
        `make workload.sequence a multiple of ${2 * context}, or lower parallel.context`,
      ),
    ];
  },
};
