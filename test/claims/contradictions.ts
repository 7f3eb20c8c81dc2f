// Pairs of figures that cannot both be, made from a plan whose figures can.

import type { Claims, Plan } from "../../src/plan/plan.ts";
import { countParameters } from "../../src/plan/parameters.ts";
import { claimedTokens, flopsPerToken } from "./flops_per_token.ts";

export interface Contradiction {
  /** What is at odds, in words. */
  readonly between: string;
  /** The plan with these claims in place of its own. */
  readonly plan: Plan;
}

interface Odds extends Omit<Contradiction, "plan"> {
  readonly claims: Claims;
}

/** All that the plan gives figures for. */
export function contradictionsOf(plan: Plan): readonly Contradiction[] {
  return makers.flatMap((make) => {
    const made = make(plan);
    if (made === undefined) return [];
    const { between, claims } = made;
    return [{ between, plan: { ...plan, claims: { ...plan.claims, ...claims } } }];
  });
}

function tokensAgainstSamples(plan: Plan): Odds | undefined {
  const tokensPerSecond = claimedTokens(plan);
  if (tokensPerSecond === undefined) return undefined;
  return {
    between: "samples/s × sequence is 1.3 × tokens/s",
    claims: {
      tokensPerSecond,
      samplesPerSecond: (1.3 * tokensPerSecond) / plan.workload.sequence,
    },
  };
}

/** Of the peak, by the conventions that count least and most. */
function shares(plan: Plan) {
  const { gpus, peakFlops } = plan.hardware;
  const tokensPerSecond = claimedTokens(plan);
  if (tokensPerSecond === undefined || peakFlops === undefined) return undefined;
  const { without, whole } = flopsPerToken(plan);
  const perFlop = tokensPerSecond / (gpus * peakFlops);
  return { tokensPerSecond, least: without * perFlop, most: whole * perFlop };
}

function utilizationAboveRate(plan: Plan): Odds | undefined {
  const found = shares(plan);
  if (found === undefined || found.most > 0.5) return undefined;
  return {
    between: "MFU is twice what tokens/s give",
    claims: { tokensPerSecond: found.tokensPerSecond, computeUtilization: 2 * found.most },
  };
}

function utilizationBelowRate(plan: Plan): Odds | undefined {
  const found = shares(plan);
  if (found === undefined) return undefined;
  return {
    between: "MFU is half of what tokens/s give",
    claims: { tokensPerSecond: found.tokensPerSecond, computeUtilization: found.least / 2 },
  };
}

function memoryLeftAgainstUsed(plan: Plan): Odds | undefined {
  const memory = plan.hardware.memoryPerGpu;
  if (memory === undefined) return undefined;
  const memoryUtilization = plan.claims.memoryUtilization ?? 0.6;
  return {
    between: "memory left is 1.3 × what is not used",
    claims: { memoryUtilization, memoryAvailable: 1.3 * memory * (1 - memoryUtilization) },
  };
}

/** Layer times of a step: all layers, then the longest stage for each further micro-batch. */
function layerTimes({ model, degrees, workload }: Plan): number | undefined {
  if (model === undefined || degrees === undefined) return undefined;
  const longest = Math.max(...(degrees.layersPerStage ?? [model.layers / degrees.pipeline]));
  return model.layers + (workload.microBatches - 1) * longest;
}

function latencyAgainstRate(plan: Plan): Odds | undefined {
  const tokensPerSecond = claimedTokens(plan);
  const times = layerTimes(plan);
  if (tokensPerSecond === undefined || times === undefined) return undefined;
  const stepMs = (1000 * plan.workload.batch * plan.workload.sequence) / tokensPerSecond;
  return {
    between: "layers take three times as long as a step",
    claims: { tokensPerSecond, latencyPerLayerMs: (3 * stepMs) / times },
  };
}

function busyBelowArithmetic(plan: Plan): Odds | undefined {
  const { computeUtilization } = plan.claims;
  if (computeUtilization === undefined) return undefined;
  return {
    between: "GPUs are busy for less time than their arithmetic takes at peak",
    claims: { gpuUtilization: 0.7 * computeUtilization },
  };
}

function hardwareBelowModel(plan: Plan): Odds | undefined {
  const { computeUtilization } = plan.claims;
  if (computeUtilization === undefined) return undefined;
  return {
    between: "HFU, which counts more, is less than MFU",
    claims: { hardwareFlopsUtilization: 0.8 * computeUtilization },
  };
}

function hardwareAboveModel(plan: Plan): Odds | undefined {
  const { computeUtilization } = plan.claims;
  if (computeUtilization === undefined || computeUtilization > 0.5) return undefined;
  return {
    between: "HFU is twice the MFU, and a step is computed again by a third at most",
    claims: { hardwareFlopsUtilization: 2 * computeUtilization },
  };
}

function busyAboveSchedule(plan: Plan): Odds | undefined {
  const { degrees, workload } = plan;
  if (degrees === undefined || degrees.pipeline === 1) return undefined;
  const slots = workload.microBatches * (degrees.virtualStages ?? 1);
  const most = slots / (slots + degrees.pipeline - 1);
  // Bounds have a tolerance of 2 %.
  if (most > 0.95) return undefined;
  return {
    between: "GPUs are busier than the pipeline's schedule allows",
    claims: { gpuUtilization: (1 + most) / 2 },
  };
}

function expertsAgainstSplit(plan: Plan): Odds | undefined {
  const moe = plan.model?.moe;
  const expert = plan.degrees?.expert ?? 1;
  if (moe === undefined || expert === 1) return undefined;
  return {
    between: "thrice the experts that the split gives a GPU, more than copies explain",
    claims: { expertsPerGpu: (3 * moe.experts) / expert },
  };
}

function groupAgainstDegree({ degrees, assumed }: Plan): Odds | undefined {
  if (degrees === undefined || degrees.tensor === 1 || assumed.includes("parallel")) {
    return undefined;
  }
  return {
    between: "tensor groups of twice the degree",
    claims: { tensorGroupSize: 2 * degrees.tensor },
  };
}

function memoryBelowWeights({ assumed, hardware, model, notes }: Plan): Odds | undefined {
  const memory = hardware.memoryPerGpu;
  if (model === undefined || memory === undefined) return undefined;
  if (notes.length > 0 || assumed.length > 0) return undefined;
  const least = (2 * countParameters(model).total) / hardware.gpus / memory;
  return {
    between: "memory used is half of the weights, spread over all GPUs",
    claims: { memoryUtilization: least / 2 },
  };
}

const makers: readonly ((plan: Plan) => Odds | undefined)[] = [
  tokensAgainstSamples,
  utilizationAboveRate,
  utilizationBelowRate,
  memoryLeftAgainstUsed,
  latencyAgainstRate,
  busyBelowArithmetic,
  hardwareBelowModel,
  hardwareAboveModel,
  busyAboveSchedule,
  expertsAgainstSplit,
  groupAgainstDegree,
  memoryBelowWeights,
];
