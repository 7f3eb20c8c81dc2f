// Token ids come from outside: only the first layer can look them up.

import { fieldPath, nameOf, placedLayers } from "../../../plan/layers.ts";
import { linearOnGpu0, oneStage, onGpu0 } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const embeddingNotFirst: DiagnosticDefinition = {
  code: "embedding-not-first",
  severity: "error",
  title: "Embedding Not First",
  requires: "Token ids come from outside: an embedding is the first layer.",
  examples: {
    bad: oneStage([linearOnGpu0, { op: "embedding", vocabulary: 9, hidden: 8, parallel: onGpu0 }]),
    good: oneStage([{ op: "embedding", vocabulary: 9, hidden: 8, parallel: onGpu0 }, linearOnGpu0]),
  },
};

export const embeddingComesFirst: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [embeddingNotFirst],
  ofPlan: (plan) =>
    placedLayers(plan)
      .slice(1)
      .flatMap((each) =>
        each.layer.op === "embedding"
          ? [
              report(
                embeddingNotFirst,
                fieldPath(plan, each),
                `${nameOf(plan, each)} looks up token ids, but stands after other layers`,
                "make it the first layer of the first stage",
              ),
            ]
          : [],
      ),
};
