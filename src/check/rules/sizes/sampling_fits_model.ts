// Tokens are picked from the few largest logits of each row: these have to be all that may be drawn, and logits have to be
// what the last layer gives.

import type { Plan } from "../../../plan/plan.ts";
import { degreesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const serving = { mode: "serving", inputTokens: 8, outputTokens: 4 };
const model = { vocabulary: 64 };

const samplingNeedsTopK: DiagnosticDefinition = {
  code: "sampling-needs-top-k",
  severity: "error",
  title: "Sampling Needs Top K",
  requires: "Tokens that are drawn at a temperature are of the topK largest logits.",
  examples: {
    bad: degreesWith({ workload: { ...serving, sampling: { temperature: 0.7 } }, model }),
    good: degreesWith({ workload: { ...serving, sampling: { temperature: 0.7, topK: 8 } }, model }),
  },
};

const samplingNeedsLogits: DiagnosticDefinition = {
  code: "sampling-needs-logits",
  severity: "error",
  title: "Sampling Needs Logits",
  requires: "A plan that samples takes token ids and ends with logits of the same vocabulary.",
  examples: {
    bad: degreesWith({ workload: { ...serving, sampling: {} } }),
    good: degreesWith({ workload: { ...serving, sampling: {} }, model }),
  },
};

export const samplingFitsModel: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [samplingNeedsTopK, samplingNeedsLogits],
  ofPlan(plan) {
    const { sampling } = plan.workload.serving ?? {};
    if (sampling === undefined) return [];
    const { temperature, topK } = sampling;
    return [
      ...(temperature > 0 && topK === undefined
        ? [
            report(
              samplingNeedsTopK,
              ["workload", "sampling", "temperature"],
              `at a temperature of ${temperature} any token may be drawn, and ranks show the largest logits alone`,
              "give workload.sampling.topK, or leave the temperature out",
            ),
          ]
        : []),
      ...(hasLogits(plan)
        ? []
        : [
            report(
              samplingNeedsLogits,
              ["workload", "sampling"],
              "tokens are to come out of logits, and the plan has none over the ids that go in",
              "give model.vocabulary, or leave workload.sampling out",
            ),
          ]),
    ];
  },
};

function hasLogits({ stages }: Plan): boolean {
  const layers = stages.flatMap((stage) => stage.layers);
  const [first, last] = [layers[0], layers.at(-1)];
  return first?.op === "embedding" && last?.op === "linear" && last.out >= first.vocabulary;
}
