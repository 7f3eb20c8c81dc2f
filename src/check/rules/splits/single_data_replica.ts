// "Data-parallel" on one GPU is no parallelism.

import { layersWith, meanLayer, stagesWith } from "../../example.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const singleDataReplica: DiagnosticDefinition = {
  code: "single-data-replica",
  severity: "warning",
  title: "Data Parallelism of One Replica",
  requires: "Data parallelism has more than one replica.",
  examples: {
    bad: layersWith({ c: [{ ...meanLayer, parallel: { kind: "data", gpus: [2] } }] }),
    good: stagesWith(),
  },
  section: "notes",
  impact: "load of one replica",
};

export const dataParallelHasReplicas: RuleDefinition = {
  chapter: "splits",
  diagnostics: [singleDataReplica],
  ofPlan: (plan, written) => {
    if (plan.hardware.gpus === 1) return [];
    return (written?.stages ?? []).flatMap(({ name, layers }, s) =>
      layers.flatMap(({ op, parallel }, l) => {
        if (parallel?.kind !== "data" || parallel.gpus.flat().length !== 1) return [];
        return [
          report(
            singleDataReplica,
            ["stages", s, "layers", l, "parallel"],
            `stage ${JSON.stringify(name)} is data-parallel with only 1 replica, which under-uses GPU ${parallel.gpus.flat().join()}`,
            `consider more replicas or another split for this ${op} layer, or move work of busier GPUs there`,
          ),
        ];
      }),
    );
  },
};
