// Fewer GPUs. What each of the others holds and does stays as it is: with a replica its samples go, with a tensor rank
// its heads and its slices of products, with an expert rank its experts, and stages of a pipeline are joined.

import { contextOf, expertTensorOf, namedTensorGroup, ranksPerStage, worldOf } from "../mesh.ts";
import type { Degrees } from "../plan.ts";
import type { PlanFile } from "../schema.ts";
import { degreesOf, modelOf } from "../stages_from_degrees.ts";
import { type Dimension, divisorDown } from "./dimension.ts";
import { withExperts } from "./experts.ts";

export const data: Dimension = {
  name: "data replicas",
  full: degreeAbove1("data"),
  least: () => 1,
  reduce(file, size) {
    const degrees = degreesOf(file);
    if (size >= degrees.data) return file;
    const kept = divisorDown(degrees.data, size);
    const { batch } = file.workload;
    const { dataShard } = degrees;
    return withDegrees(
      { ...file, workload: { ...file.workload, batch: (batch / degrees.data) * kept } },
      {
        data: kept,
        ...(dataShard === undefined ? {} : { dataShard: divisorDown(kept, dataShard) }),
      },
    );
  },
};

export const context: Dimension = {
  name: "context ranks",
  full: degreeAbove1("context"),
  least: () => 1,
  reduce(file, size) {
    const whole = contextOf(degreesOf(file));
    return size >= whole ? file : withDegrees(file, { context: divisorDown(whole, size) });
  },
  changesLayers: "fewer ranks share a sequence",
};

/** A pipeline stays one. */
export const pipeline: Dimension = {
  name: "pipeline ranks",
  full: degreeAbove1("pipeline"),
  least: ({ parallel }) => leastDivisor(parallel?.pipeline ?? 1),
  reduce(file, size) {
    const { pipeline: whole, layersPerStage } = degreesOf(file);
    if (size >= whole) return file;
    const kept = Math.max(leastDivisor(whole), divisorDown(whole, size));
    const joined = whole / kept;
    return withDegrees(file, {
      pipeline: kept,
      ...(layersPerStage?.length === whole
        ? {
            layersPerStage: Array.from({ length: kept }, (_, stage) =>
              layersPerStage
                .slice(stage * joined, (stage + 1) * joined)
                .reduce((sum, own) => sum + own, 0),
            ),
          }
        : {}),
    });
  },
};

/** A group stays one, and each of its ranks has the heads and slices that it had. */
export const tensor: Dimension = {
  name: "tensor ranks",
  full: (file) => (file.model === undefined ? undefined : degreeAbove1("tensor")(file)),
  least: ({ parallel }) => leastDivisor(parallel?.tensor ?? 1),
  reduce(file, size) {
    const { model } = file;
    const degrees = degreesOf(file);
    const { tensor: whole, expertTensor } = degrees;
    if (model === undefined || size >= whole) return file;
    const kept = Math.max(leastDivisor(whole), divisorDown(whole, size));
    return withDegrees(
      { ...file, model: withFewerSlices(model, degrees, kept) },
      {
        tensor: kept,
        ...(expertTensor === undefined || expertTensor === 1
          ? {}
          : { expertTensor: divisorDown(expertTensor, (expertTensor * kept) / whole) }),
      },
    );
  },
  changesLayers: "fewer ranks exchange what a layer leaves",
};

/** The smallest above 1. */
function leastDivisor(whole: number): number {
  for (let divisor = 2; divisor < whole; divisor += 1) {
    if (whole % divisor === 0) return divisor;
  }
  return whole;
}

function degreeAbove1(axis: "data" | "context" | "pipeline" | "tensor") {
  return (file: PlanFile): number | undefined => {
    const degree = file.parallel?.[axis] ?? 1;
    return degree > 1 && !namesRanks(file) ? degree : undefined;
  };
}

/** Groups that are listed by GPU are what the plan is about. */
function namesRanks(file: PlanFile): boolean {
  return namedTensorGroup(file) !== undefined || file.parallel?.expertGroup !== undefined;
}

function withFewerSlices(
  file: NonNullable<PlanFile["model"]>,
  degrees: Degrees,
  kept: number,
): NonNullable<PlanFile["model"]> {
  const model = modelOf(file);
  const whole = degrees.tensor;
  const share = (size: number): number => Math.ceil(size / whole) * kept;
  const { moe, vocabulary } = file;
  const sliced = expertTensorOf(degrees) > 1;
  return {
    ...file,
    heads: share(model.heads),
    kvHeads:
      model.kvHeads % whole === 0
        ? share(model.kvHeads)
        : Math.max(1, Math.floor((model.kvHeads * kept) / whole)),
    // The width stays, so that a head's does not follow from it any more.
    headDim: model.headDim,
    ffn: share(model.ffn),
    ...(vocabulary === undefined ? {} : { vocabulary: share(vocabulary) }),
    ...(moe === undefined
      ? {}
      : {
          moe: {
            ...moe,
            ffn: sliced ? share(model.moe?.ffn ?? model.ffn) : (model.moe?.ffn ?? model.ffn),
            ...(moe.sharedFfn === undefined ? {} : { sharedFfn: share(moe.sharedFfn) }),
          },
        }),
  };
}

/** The plan on as many GPUs as its degrees ask for, its experts folded into the ranks of a stage that are left. */
function withDegrees(file: PlanFile, change: NonNullable<PlanFile["parallel"]>): PlanFile {
  const before = degreesOf(file);
  const degrees = { ...before, ...change };
  const expert = expertDegree(before, degrees);
  const kept = { ...degrees, expert };
  const reshaped = {
    ...file,
    hardware: { ...file.hardware, gpus: worldOf(kept) },
    parallel: { ...file.parallel, ...change, ...(before.expert === expert ? {} : { expert }) },
  };
  const all = file.model?.moe?.experts ?? 0;
  return before.expert === expert
    ? reshaped
    : withExperts(reshaped, Math.ceil((all * expert) / before.expert));
}

function expertDegree(before: Degrees, after: Degrees): number {
  const places = ranksPerStage(after) / (after.expertTensor ?? 1);
  const { expert } = before;
  if (expert === 1 || places % expert === 0) return expert;
  return divisorDown(
    Math.floor(places),
    Math.ceil((expert * ranksPerStage(after)) / ranksPerStage(before)),
  );
}
