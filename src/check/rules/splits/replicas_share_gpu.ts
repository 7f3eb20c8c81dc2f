// A GPU is a member of one data replica only.

import { listed } from "../../../plan/layers.ts";
import { isGrouped } from "../../../plan/layers/parallel.ts";
import { linearOn, oneStage } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { writtenLayers } from "./written_layers.ts";

const replicasShareGpu: DiagnosticDefinition = {
  code: "replicas-share-gpu",
  severity: "error",
  title: "Replicas Share GPU",
  requires: "A GPU is a member of one data replica.",
  examples: {
    bad: oneStage([
      linearOn("data", [
        [0, 1],
        [1, 2],
      ]),
    ]),
    good: oneStage([linearOn("data", [[0], [1]])]),
  },
};

export const replicasAreDisjoint: RuleDefinition = {
  chapter: "splits",
  diagnostics: [replicasShareGpu],
  ofPlan: (_plan, written) =>
    writtenLayers(written).flatMap(({ parallel: { gpus }, path }) => {
      if (!isGrouped(gpus)) return [];
      const shared = gpus.flatMap((group, i) =>
        group.filter((id) => gpus.findIndex((other) => other.includes(id)) < i),
      );
      return shared.length === 0
        ? []
        : [
            report(
              replicasShareGpu,
              [...path, "gpus"],
              `GPU ${listed(shared)} is in more than one data replica`,
              "give every replica GPUs of its own",
            ),
          ];
    }),
};
