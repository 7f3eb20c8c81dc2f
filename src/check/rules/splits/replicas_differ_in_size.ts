// All data replicas of a layer are split alike.

import { groupSize, nameOf, placedLayers } from "../../../plan/layers.ts";
import { isGrouped } from "../../../plan/layers/parallel.ts";
import { linearOn, oneStage } from "../../example.ts";
import { type Fix, put } from "../../repair/fix.ts";
import { layerAt } from "../../repair/layer_at.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const allAlike: Fix = (faulty, { path }) => {
  const gpus = layerAt(faulty, path)?.parallel?.gpus;
  if (gpus === undefined || !isGrouped(gpus)) return [];
  const size = Math.min(...gpus.map(({ length }) => length));
  return [
    {
      patch: [
        put(
          faulty,
          path,
          gpus.map((group) => group.slice(0, size)),
        ),
      ],
      description: `every replica has ${size} GPUs`,
      consequence: "the surplus GPUs are left out of the layer",
    },
  ];
};

const replicasDifferInSize: DiagnosticDefinition = {
  code: "replicas-differ-in-size",
  severity: "error",
  title: "Replicas Differ In Size",
  requires: "All data replicas of a layer have as many GPUs.",
  examples: {
    bad: oneStage([linearOn("data", [[0, 1], [2]])]),
    good: oneStage([linearOn("data", [[0], [2]])]),
  },
  fix: allAlike,
};

export const replicasAreAlike: RuleDefinition = {
  chapter: "splits",
  diagnostics: [replicasDifferInSize],
  ofPlan: (plan) =>
    placedLayers(plan).flatMap((placed) => {
      const size = groupSize(placed.layer);
      const odd = placed.layer.groups.find(({ length }) => length !== size);
      return odd === undefined
        ? []
        : [
            report(
              replicasDifferInSize,
              ["stages", placed.stageIndex, "layers", placed.layerIndex, "parallel", "gpus"],
              `${nameOf(plan, placed)} has data replicas of ${size} and of ${odd.length} GPUs`,
              "give every replica the same number of GPUs",
            ),
          ];
    }),
};
