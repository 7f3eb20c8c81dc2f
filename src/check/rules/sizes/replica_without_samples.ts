// In explicit stages replicas may be uneven, but none is empty.

import { nameOf, placedLayers } from "../../../plan/layers.ts";
import { linearOnGpu0, oneStage } from "../../example.ts";
import { batchFixes } from "../../repair/batch_sizes.ts";
import { setNumber } from "../../repair/fix.ts";
import { type DiagnosticDefinition, report, type RuleDefinition } from "../../rule.ts";

const replicaWithoutSamples: DiagnosticDefinition = {
  code: "replica-without-samples",
  severity: "error",
  title: "Replica Without Samples",
  requires: "No data replica is empty.",
  examples: {
    bad: oneStage([{ ...linearOnGpu0, parallel: { kind: "data", gpus: [0, 1] } }], {
      workload: { batch: 1, microBatches: 1 },
    }),
    good: oneStage([{ ...linearOnGpu0, parallel: { kind: "data", gpus: [0, 1] } }], {
      workload: { batch: 2, microBatches: 1 },
    }),
  },
  fix: (faulty, diagnostic, found) => {
    const [, stage, , layer] = diagnostic.path;
    const { plan } = faulty;
    const replicas = plan?.stages[Number(stage)]?.layers[Number(layer)]?.groups.length;
    if (plan === undefined || replicas === undefined) return [];
    const batch = replicas * plan.workload.microBatches;
    return [
      ...batchFixes(faulty, diagnostic, found),
      setNumber(faulty, ["workload", "batch"], batch, "one sample per replica and micro-batch"),
    ];
  },
};

const replicasUneven: DiagnosticDefinition = {
  code: "replicas-uneven",
  severity: "warning",
  title: "Replicas Uneven",
  requires: "Data replicas have as many samples.",
  examples: {
    bad: oneStage([{ ...linearOnGpu0, parallel: { kind: "data", gpus: [0, 1] } }], {
      workload: { batch: 3, microBatches: 1 },
    }),
    good: oneStage([{ ...linearOnGpu0, parallel: { kind: "data", gpus: [0, 1] } }], {
      workload: { batch: 2, microBatches: 1 },
    }),
  },
};

export const everyReplicaHasSamples: RuleDefinition = {
  chapter: "sizes",
  diagnostics: [replicaWithoutSamples, replicasUneven],
  ofPlan: (plan) => {
    const { batch, microBatches } = plan.workload;
    if (plan.degrees !== undefined || batch % microBatches !== 0) return [];
    return placedLayers(plan).flatMap((each) => {
      const replicas = each.layer.groups.length;
      // A mean over the batch leaves one row.
      const samples = each.aggregated === "batch" ? 1 : batch / microBatches;
      const path = ["stages", each.stageIndex, "layers", each.layerIndex, "parallel"];
      if (replicas > samples) {
        return [
          report(
            replicaWithoutSamples,
            path,
            `${nameOf(plan, each)} has ${replicas} data replicas for a micro-batch of ${samples} samples`,
            "use fewer replicas or micro-batches, or a larger batch",
          ),
        ];
      }
      return samples % replicas === 0
        ? []
        : [
            report(
              replicasUneven,
              path,
              `${nameOf(plan, each)} shares ${samples} samples among ${replicas} data replicas unevenly`,
              "the fuller replicas decide the pace: use a number of samples that replicas divides",
            ),
          ];
    });
  },
};
