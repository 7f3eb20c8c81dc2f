// Several expert groups serve the tokens of their own GPUs: tokens elsewhere would find no experts.

import { fieldPath, listed, nameOf, placedLayers } from "../../../plan/layers.ts";
import { oneStage, type PlanChange } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

/** Two groups with both experts each, and tokens where `tokenGpus` says. */
function twoGroups(tokenGpus: readonly number[]): PlanChange {
  return {
    op: "moe",
    hidden: 8,
    ffn: 8,
    experts: 2,
    parallel: { kind: "expert", gpus: [[0], [1]], tokenGpus },
  };
}

/** More are not told one by one. */
const mostNamed = 8;

const tokensWithoutExperts: DiagnosticDefinition = {
  code: "tokens-without-experts",
  severity: "error",
  title: "Tokens Without Experts",
  requires: "Where a layer has several expert groups, every GPU with tokens is in one of them.",
  examples: {
    bad: oneStage([twoGroups([0, 2])], { hardware: { gpus: 3 } }),
    good: oneStage([twoGroups([0, 1])], { hardware: { gpus: 2 } }),
  },
};

export const tokensHaveExperts: RuleDefinition = {
  chapter: "splits",
  diagnostics: [tokensWithoutExperts],
  ofPlan: (plan) =>
    placedLayers(plan).flatMap((each) => {
      const { layer } = each;
      if (layer.op !== "moe" || layer.expertGroups.length < 2) return [];
      const holders = new Set(layer.expertGroups.flat(2));
      const outside = [...new Set(layer.groups.flat())].filter((gpu) => !holders.has(gpu));
      if (outside.length === 0) return [];
      return [
        report(
          tokensWithoutExperts,
          fieldPath(plan, each, "parallel"),
          `${nameOf(plan, each)} has tokens on GPU ${listed(outside.slice(0, mostNamed))}${outside.length > mostNamed ? ", …" : ""}, in none of its ${layer.expertGroups.length} expert groups`,
          "set parallel.tokenGpus to GPUs of the expert groups, or use one expert group",
        ),
      ];
    }),
};
