// Rules on claimed speed: latency against throughput, throughput against what the hardware can do.

import { costPerGpu } from "../cost.ts";
import type { Plan } from "../plan.ts";
import { assumedUnder, byHowMuch, figure, leaningOn, percent } from "./assumption.ts";
import { info, type Rule, warning } from "./rule.ts";

/** Figures rounded for print still agree. */
const rounding = 0.05;

/** Layers of each pipeline stage, as a latency per layer counts them: blocks of a model, else layers. */
const layersByStage = ({ stages, model, degrees }: Plan): number[] =>
  model === undefined || degrees === undefined
    ? stages.map(({ layers }) => layers.length)
    : stages.map((_, p) => degrees.layersPerStage?.[p] ?? model.layers / degrees.pipeline);

/** Layer latencies that one step takes: all layers once, then the slowest stage per further micro-batch. */
const latenciesPerStep = (plan: Plan): number => {
  const counts = layersByStage(plan);
  const all = counts.reduce((sum, count) => sum + count, 0);
  return all + (plan.workload.microBatches - 1) * Math.max(...counts);
};

const claimedSamples = ({ claims, workload }: Plan): number | undefined =>
  claims.samplesPerSecond ??
  (claims.tokensPerSecond === undefined ? undefined : claims.tokensPerSecond / workload.sequence);

const samplesKey = ({ claims }: Plan): "samplesPerSecond" | "tokensPerSecond" =>
  claims.samplesPerSecond === undefined ? "tokensPerSecond" : "samplesPerSecond";

/** A step takes at least latency × layers, and brings one batch. */
export const latencyAgreesWithThroughput: Rule = (plan) => {
  const { claims, workload, model, stages } = plan;
  const latencyMs = claims.latencyPerLayerMs;
  const claimed = claimedSamples(plan);
  if (latencyMs === undefined || latencyMs === 0 || claimed === undefined) return [];
  const latencies = latenciesPerStep(plan);
  const stepMs = latencyMs * latencies;
  const possible = (1000 * workload.batch) / stepMs;
  const path = ["claims", "latencyPerLayerMs"];
  const formula =
    `${figure(latencyMs)} ms × ${figure(latencies)} layer times = ${figure(stepMs)} ms per step of ` +
    `batch ${workload.batch}, at most ${figure(possible)} samples/s`;
  const leans = leaningOn(plan, [
    ["workload.batch", workload.batch],
    ["workload.microBatches", workload.microBatches],
    ...(model === undefined ? [] : ([["model.layers", model.layers]] as const)),
  ]);
  if (claimed <= possible * (1 + rounding)) {
    return [info("latency-claim-consistent", path, `${formula}; ${figure(claimed)} are claimed`)];
  }
  const inFlight = Math.ceil((claimed * stepMs) / 1000);
  return [
    warning(
      "latency-claim-contradicts-throughput",
      path,
      `${formula}, but ${figure(claimed)} are claimed, ${byHowMuch(claimed, possible)}; this leans on ${leans}, pipeline depth ${stages.length}`,
      `mend one of the figures, or give the batch they were taken with: they agree from ${inFlight} samples per step`,
    ),
  ];
};

/** Forward and backward; recomputation does the forward part twice. */
const passes = ({ workload: { mode, recompute } }: Plan): number =>
  mode === "inference" ? 1 : recompute?.granularity === "full" ? 4 : 3;

interface Compute {
  readonly perSample: number;
  /** FLOP/s of all GPUs. */
  readonly peak: number;
}

const computeOf = (plan: Plan): Compute | undefined => {
  const { peakFlops, gpus } = plan.hardware;
  if (peakFlops === undefined) return undefined;
  const flops = costPerGpu(plan).reduce((sum, cost) => sum + cost.flops, 0) * passes(plan);
  return flops === 0
    ? undefined
    : { perSample: flops / plan.workload.batch, peak: gpus * peakFlops };
};

const sizesOf = (plan: Plan): string =>
  `FLOPs of the plan's layers (${assumedUnder(plan, "model", "stages")})`;

/** No throughput needs more FLOP/s than all GPUs have at their peak. */
export const throughputWithinPeak: Rule = (plan) => {
  const claimed = claimedSamples(plan);
  const compute = computeOf(plan);
  if (claimed === undefined || compute === undefined) return [];
  const { perSample, peak } = compute;
  const most = peak / perSample;
  const path = ["claims", samplesKey(plan)];
  const formula = `${figure(perSample)} FLOPs per sample on ${plan.hardware.gpus} × ${figure(peak / plan.hardware.gpus)} FLOP/s`;
  return claimed <= most
    ? [
        info(
          "throughput-claim-within-peak",
          path,
          `${figure(claimed)} samples/s need ${percent(claimed / most)} of the peak: ${formula}`,
        ),
      ]
    : [
        warning(
          "throughput-claim-exceeds-peak",
          path,
          `${figure(claimed)} samples/s are claimed, but ${formula} allow at most ${figure(most)}: ${byHowMuch(claimed, most)}; this leans on hardware.peakFlops and on the ${sizesOf(plan)}`,
          "mend the claim, or hardware.peakFlops",
        ),
      ];
};

/** Throughput × FLOPs per sample is the claimed share of the peak. */
export const utilizationAgreesWithThroughput: Rule = (plan) => {
  const claimed = plan.claims.computeUtilization;
  const samples = claimedSamples(plan);
  const compute = computeOf(plan);
  if (claimed === undefined || samples === undefined || compute === undefined) return [];
  const follows = (samples * compute.perSample) / compute.peak;
  // Above the peak another rule has spoken.
  if (follows > 1 || Math.abs(claimed - follows) <= 2 * rounding * Math.max(claimed, follows)) {
    return [];
  }
  return [
    warning(
      "utilization-claim-contradicts-throughput",
      ["claims", "computeUtilization"],
      `computeUtilization of ${percent(claimed)} is claimed, but ${figure(samples)} samples/s are ${percent(follows)} of the peak: ${byHowMuch(claimed, follows)}; this leans on hardware.peakFlops and on the ${sizesOf(plan)}`,
      "mend one of the figures",
    ),
  ];
};
