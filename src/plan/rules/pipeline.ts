// Rules on pipelines: how layers are dealt to their ranks, and what a schedule can order.

import { pipelineOf } from "../pipeline.ts";
import { error, type Rule } from "./rule.ts";

/** An uneven split has a number for every pipeline rank, and they sum to the layers. */
export const layersPerStageSum: Rule = ({ degrees, model }) => {
  const counts = degrees?.layersPerStage;
  if (degrees === undefined || model === undefined || counts === undefined) return [];
  const path = ["parallel", "layersPerStage"];
  if (counts.length !== degrees.pipeline) {
    return [
      error(
        "layers-per-stage-differs-from-pipeline",
        path,
        `layersPerStage has ${counts.length} entries, pipeline is ${degrees.pipeline}`,
        `give ${degrees.pipeline} numbers, or set parallel.pipeline to ${counts.length}`,
      ),
    ];
  }
  const sum = counts.reduce((all, count) => all + count, 0);
  return sum === model.layers
    ? []
    : [
        error(
          "layers-per-stage-do-not-sum",
          path,
          `layersPerStage sums to ${sum}, the model has ${model.layers} layers`,
          `make the numbers sum to ${model.layers}`,
        ),
      ];
};

/** Chunks interleave between pipeline ranks. */
export const interleavingNeedsPipeline: Rule = ({ degrees }) =>
  (degrees?.virtualStages ?? 1) === 1 || (degrees?.pipeline ?? 1) > 1
    ? []
    : [
        error(
          "interleaving-needs-pipeline",
          ["parallel", "virtualStages"],
          `virtualStages ${degrees?.virtualStages} interleaves pipeline ranks, but pipeline is 1`,
          "set parallel.pipeline above 1, or leave virtualStages out",
        ),
      ];

/** Every pipeline rank has as many layers in each of its chunks. */
export const virtualStagesDivideLayers: Rule = ({ degrees, model }) => {
  const { virtualStages = 1, pipeline = 1, layersPerStage } = degrees ?? {};
  if (virtualStages === 1 || model === undefined || model.layers % pipeline !== 0) return [];
  const counts = layersPerStage ?? [model.layers / pipeline];
  const odd = counts.find((count) => count % virtualStages !== 0);
  return odd === undefined
    ? []
    : [
        error(
          "virtual-stages-do-not-divide-layers",
          ["parallel", "virtualStages"],
          `${odd} layers of a pipeline rank leave ${odd % virtualStages} over in ${virtualStages} virtual stages`,
          `choose virtualStages that divides ${odd}`,
        ),
      ];
};

/** With fewer micro-batches than ranks a chunk's turn comes before its input. */
export const interleavingIsFilled: Rule = ({ degrees, workload: { microBatches } }) => {
  const { virtualStages = 1, pipeline = 1 } = degrees ?? {};
  return virtualStages === 1 || pipeline === 1 || microBatches >= pipeline
    ? []
    : [
        error(
          "interleaving-needs-micro-batches",
          ["workload", "microBatches"],
          `interleaving over ${pipeline} pipeline ranks needs at least ${pipeline} micro-batches, found ${microBatches}`,
          `use ${pipeline} or more, or leave parallel.virtualStages out`,
        ),
      ];
};

/** A schedule orders stages that share no GPU. */
export const scheduleNeedsPipeline: Rule = (plan) =>
  plan.workload.schedule === undefined || pipelineOf(plan) !== undefined
    ? []
    : [
        error(
          "schedule-needs-pipeline",
          ["workload", "schedule"],
          `${plan.workload.schedule} orders the stages of a pipeline, but here stages share some of their GPUs`,
          "give each stage GPUs of its own, or leave workload.schedule out",
        ),
      ];

/** Interleaved 1F1B goes round its chunks p micro-batches at a time; a shorter round would wait for itself. */
export const roundsAreFull: Rule = (plan) => {
  const { mode, schedule, microBatches } = plan.workload;
  const { positions = [], virtualStages = 1 } = pipelineOf(plan) ?? {};
  const p = positions.length;
  return mode === "inference" ||
    schedule !== "1f1b" ||
    virtualStages === 1 ||
    microBatches % p === 0
    ? []
    : [
        error(
          "round-of-micro-batches-not-full",
          ["workload", "microBatches"],
          `interleaved 1F1B takes micro-batches in rounds of ${p} stages; ${microBatches} leave ${microBatches % p} over`,
          `use a multiple of ${p} micro-batches, or schedule gpipe`,
        ),
      ];
};
