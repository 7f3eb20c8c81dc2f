// Claims that must follow from each other: tokens from samples, memory left from memory used, throughput from latency,
// and utilization from throughput.

import type { Plan } from "../../plan/plan.ts";
import { assumedAmong } from "../../plan/assumed.ts";
import { isPrinted } from "../../plan/hardware.ts";
import { claimedSamples } from "../case.ts";
import { latenciesPerStep } from "../limits/latency.ts";
import { leftOutOfSpeed } from "../limits/limit.ts";
import { roundingOf } from "../rounding.ts";
import { BOUND_TOLERANCE, DATASHEET_TOLERANCE, ROUNDING } from "../table.ts";
import type { Need } from "../verdict.ts";
import { number, percent, quantity } from "../words.ts";
import { type Relation, verdictOf } from "./relation.ts";
import {
  inFlightArithmetic,
  outputArithmetic,
  perGpuArithmetic,
  totalArithmetic,
} from "./serving.ts";
import { busyArithmetic, recomputeArithmetic, utilizationArithmetic } from "./utilization.ts";

const tokenArithmetic: Relation = (given) => {
  const { claims, workload } = given.plan;
  const { samplesPerSecond, tokensPerSecond } = claims;
  if (samplesPerSecond === undefined || tokensPerSecond === undefined) return undefined;
  return verdictOf(given, {
    claim: "tokenArithmetic",
    label: "samples/s × sequence",
    promised: tokensPerSecond,
    follows: samplesPerSecond * workload.sequence,
    unit: "tokens/s",
    formula: `${number(samplesPerSecond)} claimed samples/s × sequence ${workload.sequence} = ${number(samplesPerSecond * workload.sequence)} tokens/s`,
    tolerance: ROUNDING,
    rounding: roundingOf(samplesPerSecond) + roundingOf(tokensPerSecond),
    paths: ["workload.sequence"],
    needs: [
      {
        what: "workload.sequence",
        relation: "exactly",
        value: tokensPerSecond / samplesPerSecond,
        unit: "tokens",
        because: "claimed tokens/s ÷ claimed samples/s",
      },
    ],
  });
};

const memoryArithmetic: Relation = (given) => {
  const { claims, hardware } = given.plan;
  const { memoryAvailable, memoryUtilization } = claims;
  const capacity = hardware.memoryPerGpu;
  if (memoryAvailable === undefined || memoryUtilization === undefined) return undefined;
  if (capacity === undefined) return undefined;
  // Drivers report more than a datasheet prints.
  const more = isPrinted(hardware, "memoryPerGpu") ? DATASHEET_TOLERANCE : 0;
  const roundedUsed = roundingOf(memoryUtilization) * memoryUtilization;
  return verdictOf(given, {
    claim: "memoryArithmetic",
    label: "memory × (1 − used)",
    promised: memoryAvailable,
    follows: capacity * (1 - memoryUtilization),
    unit: "B",
    formula: `${quantity(capacity, "B")} less the ${percent(memoryUtilization)} claimed to be used are ${quantity(capacity * (1 - memoryUtilization), "B")}`,
    tolerance: ROUNDING,
    rounding:
      roundingOf(memoryAvailable) +
      (capacity * (roundedUsed + more * (1 - memoryUtilization))) / memoryAvailable,
    paths: ["hardware.memoryPerGpu"],
    needs:
      memoryUtilization === 1
        ? []
        : [
            {
              what: "hardware.memoryPerGpu",
              relation: "exactly",
              value: memoryAvailable / (1 - memoryUtilization),
              unit: "B",
              because: "claimed memory left ÷ (1 − claimed share used)",
            },
          ],
  });
};

/** A step takes at least the latencies of the blocks on its busiest stage, and brings one batch. */
const latencyArithmetic: Relation = (given) => {
  const { plan } = given;
  const latency = plan.claims.latencyPerLayerMs;
  const samples = claimedSamples(plan);
  const latencies = latenciesPerStep(given);
  if (latency === undefined || latency === 0 || samples === undefined) return undefined;
  if (latencies === undefined) return undefined;
  const stepMs = latency * latencies;
  const follows = (1000 * plan.workload.batch) / stepMs;
  const assumedLayers = assumedAmong(plan, ["model.layers", "stages"]).length > 0;
  return verdictOf(given, {
    claim: "latencyArithmetic",
    label: "latency × throughput",
    promised: samples,
    follows,
    unit: "samples/s",
    formula: `${number(latency)} ms × ${number(latencies)} block times = ${number(stepMs)} ms at least per step of ${number(plan.workload.batch)} samples, at most ${number(follows)} samples/s`,
    tolerance: BOUND_TOLERANCE,
    rounding: roundingOf(samples) + roundingOf(latency),
    agreesWithin: (tolerance) => samples <= follows * (1 + tolerance),
    paths: [
      "workload.batch",
      "workload.microBatches",
      "model.layers",
      "stages",
      "parallel.pipeline",
      "parallel.layersPerStage",
      "parallel.virtualStages",
    ],
    unsaid: leftOutOfSpeed(given),
    needs: [
      {
        what: "workload.batch",
        relation: "at least",
        value: Math.ceil((samples * stepMs) / 1000 - 1e-9),
        unit: "samples",
        because: `${number(samples)} samples/s × ${number(latency)} ms × ${number(latencies)} block times`,
      },
      ...(assumedLayers
        ? [
            {
              what: "workload.batch, for each block that a step passes",
              relation: "at least",
              value: (samples * latency) / 1000,
              unit: "samples",
              because: `${number(samples)} samples/s × ${number(latency)} ms`,
            } satisfies Need,
          ]
        : []),
    ],
  });
};

type Relations = Readonly<Record<string, readonly Relation[]>>;

/** In the order of reports, each after the claim that it stands beside. */
export function relationsOf({ workload }: Pick<Plan, "workload">): Relations {
  return workload.mode === "serving" ? ofServing : ofSteps;
}

const ofServing: Relations = {
  tokensPerSecond: [totalArithmetic],
  memoryAvailable: [memoryArithmetic],
  tpotMs: [inFlightArithmetic],
  outputTokensPerSecond: [outputArithmetic],
  tokensPerSecondPerGpu: [perGpuArithmetic],
};

/** Of steps that are all alike. */
const ofSteps: Relations = {
  tokensPerSecond: [tokenArithmetic],
  latencyPerLayerMs: [latencyArithmetic],
  gpuUtilization: [busyArithmetic],
  memoryAvailable: [memoryArithmetic],
  computeUtilization: [utilizationArithmetic("computeUtilization")],
  hardwareFlopsUtilization: [
    utilizationArithmetic("hardwareFlopsUtilization"),
    recomputeArithmetic,
  ],
};
