// Rules on how the batch and the layers are divided.

import { nameOf, placedLayers } from "../layers.ts";
import { pipelineOf } from "../pipeline.ts";
import { error, info, type Rule, warning } from "./rule.ts";

/** Micro-batches are of equal size. */
export const microBatchesDivideBatch: Rule = ({ workload: { batch, microBatches } }) =>
  batch % microBatches === 0
    ? []
    : [
        error(
          "micro-batches-do-not-divide-batch",
          ["workload", "microBatches"],
          `batch ${batch} leaves ${batch % microBatches} over when split into ${microBatches} micro-batches`,
          "choose a divisor of workload.batch",
        ),
      ];

/** With a data degree, every replica takes as many samples of each micro-batch. */
export const replicasDivideMicroBatch: Rule = ({ workload, degrees }) => {
  const { batch, microBatches } = workload;
  const data = degrees?.data ?? 1;
  if (batch % microBatches !== 0 || (batch / microBatches) % data === 0) return [];
  return [
    error(
      "replicas-do-not-divide-micro-batch",
      ["parallel", "data"],
      `a micro-batch of ${batch / microBatches} samples cannot be shared evenly by ${data} data replicas`,
      "make workload.batch a multiple of microBatches × data",
    ),
  ];
};

/** In explicit stages replicas may be uneven, but none is empty. */
export const everyReplicaHasSamples: Rule = (plan) => {
  const { batch, microBatches } = plan.workload;
  if (plan.degrees !== undefined || batch % microBatches !== 0) return [];
  return placedLayers(plan).flatMap((each) => {
    const replicas = each.layer.groups.length;
    // A mean over the batch leaves one row.
    const samples = each.aggregated === "batch" ? 1 : batch / microBatches;
    const path = ["stages", each.stageIndex, "layers", each.layerIndex, "parallel"];
    if (replicas > samples) {
      return [
        error(
          "replica-without-samples",
          path,
          `${nameOf(plan, each)} has ${replicas} data replicas for a micro-batch of ${samples} samples`,
          "use fewer replicas or micro-batches, or a larger batch",
        ),
      ];
    }
    return samples % replicas === 0
      ? []
      : [
          warning(
            "replicas-uneven",
            path,
            `${nameOf(plan, each)} shares ${samples} samples among ${replicas} data replicas unevenly`,
            "the fuller replicas decide the pace: use a number of samples that replicas divides",
          ),
        ];
  });
};

/** Every pipeline rank has as many layers, unless the plan deals them out itself. */
export const pipelineDividesLayers: Rule = ({ degrees, model }) => {
  if (degrees === undefined || model === undefined) return [];
  const { pipeline, layersPerStage } = degrees;
  if (layersPerStage !== undefined) return [];
  const rest = model.layers % pipeline;
  return rest === 0
    ? []
    : [
        error(
          "pipeline-does-not-divide-layers",
          ["parallel", "pipeline"],
          `${model.layers} layers leave ${rest} over when divided into ${pipeline} pipeline stages`,
          "choose a pipeline degree that divides model.layers, or give parallel.layersPerStage",
        ),
      ];
};

/** How well micro-batches fill the stages, if all stages take as long. */
export const pipelineIsFilled: Rule = (plan) => {
  // Stages that share some of their GPUs are no pipeline, and the formula says nothing of them.
  const pipeline = pipelineOf(plan);
  const p = pipeline?.positions.length ?? 1;
  const v = pipeline?.virtualStages ?? 1;
  const m = plan.workload.microBatches;
  if (p === 1) return [];
  const bubble = Math.round((100 * (p - 1)) / (v * m + p - 1));
  const path = ["workload", "microBatches"];
  const formula = v > 1 ? "(p − 1)/(v·m + p − 1)" : "(p − 1)/(m + p − 1)";
  const message = `${p} stages${v > 1 ? ` of ${v} chunks` : ""} with ${m} micro-batches idle at least ${bubble} % of the time: ${formula}`;
  return m < p
    ? [
        warning(
          "pipeline-not-filled",
          path,
          message,
          `use at least ${p} micro-batches to have every stage at work`,
        ),
      ]
    : [info("pipeline-filled", path, message)];
};
