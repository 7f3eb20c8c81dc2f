// What `src/plan/normalise.ts` refuses of serving: keys that belong together.

import { degreesWith } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import type { DiagnosticDefinition, RuleDefinition } from "../../rule.ts";

const serving = { mode: "serving", inputTokens: 8, outputTokens: 4 };

const servingKeyWithoutServing: DiagnosticDefinition = {
  code: "serving-key-without-serving",
  severity: "error",
  title: "Serving Key Without Serving",
  requires: "Requests, their tokens, caches and scheduler are said of plans that serve.",
  examples: {
    bad: degreesWith({ workload: { inputTokens: 8 } }),
    good: degreesWith({ workload: serving }),
  },
  fix: leaveOut("the plan runs whole sequences"),
};

const servingTokensMissing: DiagnosticDefinition = {
  code: "serving-tokens-missing",
  severity: "error",
  title: "Serving Tokens Missing",
  requires:
    "A plan that serves says how many tokens a request comes with and how many it is given.",
  examples: {
    bad: degreesWith({ workload: { mode: "serving", inputTokens: 8 } }),
    good: degreesWith({ workload: serving }),
  },
};

const sequenceOfServing: DiagnosticDefinition = {
  code: "sequence-of-serving",
  severity: "error",
  title: "Sequence Of Serving",
  requires: "The sequence of a request follows from its input and output tokens.",
  examples: {
    bad: degreesWith({ workload: { ...serving, sequence: 12 } }),
    good: degreesWith({ workload: serving }),
  },
  fix: leaveOut("the sequence follows from input and output tokens"),
};

export const servingKeysBelongTogether: RuleDefinition = {
  chapter: "structure",
  diagnostics: [servingKeyWithoutServing, servingTokensMissing, sequenceOfServing],
};
