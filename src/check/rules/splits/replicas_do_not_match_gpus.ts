// `replicas` replicas share the listed GPUs evenly.

import { isGrouped } from "../../../plan/layers/parallel.ts";
import { linearOn, oneStage } from "../../example.ts";
import { leaveOut } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";
import { writtenLayers } from "./written_layers.ts";

const replicasDoNotMatchGpus: DiagnosticDefinition = {
  code: "replicas-do-not-match-gpus",
  severity: "error",
  title: "Replicas Do Not Match Gpus",
  requires: "Replicas share the listed GPUs evenly.",
  examples: {
    bad: oneStage([linearOn("data", [0, 1, 2], { replicas: 2 })]),
    good: oneStage([linearOn("data", [0, 1, 2], { replicas: 3 })]),
  },
  fix: leaveOut("the list of GPUs decides"),
};

export const replicasDivideGpus: RuleDefinition = {
  chapter: "splits",
  diagnostics: [replicasDoNotMatchGpus],
  ofPlan: (_plan, written) =>
    writtenLayers(written).flatMap(({ parallel, path }) => {
      const { replicas, gpus } = parallel;
      if (replicas === undefined) return [];
      const found = gpus.length;
      if (isGrouped(gpus) ? found === replicas : found % replicas === 0) return [];
      return [
        report(
          replicasDoNotMatchGpus,
          [...path, "replicas"],
          isGrouped(gpus)
            ? `${replicas} replicas, but ${found} lists of GPUs`
            : `${found} GPUs cannot be shared evenly by ${replicas} replicas`,
          "list as many groups as replicas, or GPUs that replicas divides",
        ),
      ];
    }),
};
