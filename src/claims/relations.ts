// Claims that must follow from each other, read as figures of one run, whatever the machine: tokens from samples, memory
// left from memory used, throughput from latency, and utilization from throughput.

import { assumedAmong } from "../plan/assumed.ts";
import { claimed, claimedSamples, fromPlan, ratioOf, type Case } from "./case.ts";
import { blocksAgain, flopsPaths, type SampleFlops, sampleFlops } from "./flops.ts";
import { latenciesPerStep } from "./limits/latency.ts";
import { leftOutOfSpeed, otherArithmetic } from "./limits/limit.ts";
import { BOUND_TOLERANCE, DATASHEET_TOLERANCE, ROUNDING } from "./table.ts";
import type { Judgement, Need, Verdict } from "./verdict.ts";
import { number, percent, quantity, someOf } from "./words.ts";

type Relation = (given: Case) => Verdict | undefined;

interface Agreement {
  readonly claim: string;
  readonly label: string;
  readonly promised: number;
  readonly follows: number;
  readonly unit: Parameters<typeof claimed>[1];
  readonly formula: string;
  readonly tolerance: number;
  /** Whether what follows is near enough; default: within the tolerance. */
  readonly agrees?: boolean;
  /** They agree, but not by the claim's own definition. */
  readonly isByOtherDefinition?: boolean;
  readonly paths: readonly string[];
  readonly unsaid?: readonly string[];
  /** What must hold where the values that it leans on are assumed. */
  readonly needs: readonly Need[];
}

/** Leaning on assumed values, two claims neither agree nor contradict each other: they fix the values. */
function verdictOf({ plan }: Case, given: Agreement): Verdict {
  const { promised, follows, tolerance, formula, unsaid = [] } = given;
  const agrees = given.agrees ?? Math.abs(follows - promised) <= tolerance * Math.abs(promised);
  const leansOn = assumedAmong(plan, given.paths);
  const isFirm = leansOn.length === 0 && unsaid.length === 0;
  const { isByOtherDefinition = false } = given;
  const decided = agrees ? (isByOtherDefinition ? "ambiguous" : "confirmed") : "refuted";
  const judgement: Judgement = isFirm ? decided : "untestable";
  const how = agrees
    ? `the claims agree${isByOtherDefinition ? " by another definition" : ""}`
    : "as figures of one run the claims contradict each other";
  const found = fromPlan(follows, given.unit);
  const promisedFigure = claimed(promised, given.unit);
  const leaning = isFirm ? "" : `, which leans on ${someOf([...leansOn, ...unsaid])}`;
  return {
    claim: given.claim,
    label: given.label,
    claimed: promisedFigure,
    found,
    ...ratioOf(found, promisedFigure),
    judgement,
    reason: `${how}: ${formula}, tolerance ${percent(tolerance)}${leaning}`,
    provenance: "estimated",
    tolerance,
    leansOn,
    needs: judgement === "untestable" || judgement === "ambiguous" ? given.needs : [],
  };
}

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
  return verdictOf(given, {
    claim: "memoryArithmetic",
    label: "memory × (1 − used)",
    promised: memoryAvailable,
    follows: capacity * (1 - memoryUtilization),
    unit: "B",
    formula: `${quantity(capacity, "B")} less the ${percent(memoryUtilization)} claimed to be used are ${quantity(capacity * (1 - memoryUtilization), "B")}`,
    tolerance: ROUNDING,
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
    agrees: samples <= follows * (1 + BOUND_TOLERANCE),
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

/**
 * Throughput × FLOPs per sample is the claimed share of the peak, by one of the conventions in use: causal attention
 * counted by half, whole or not at all, or 6 FLOPs per parameter and token, with the embedding or without. What agrees
 * only with recomputation counted is an HFU, whatever it is called.
 */
function utilizationArithmetic(key: "computeUtilization" | "hardwareFlopsUtilization"): Relation {
  return (given) => {
    const { claims, hardware } = given.plan;
    const share = claims[key];
    const samples = claimedSamples(given.plan);
    const { peakFlops: peak, gpus } = hardware;
    if (share === undefined || samples === undefined || peak === undefined) return undefined;
    const flops = sampleFlops(given);
    const isHfu = key === "hardwareFlopsUtilization";
    const of = (perSample: number): number => (samples * perSample) / (gpus * peak);
    const again = computedAgain(given, flops);
    const [fewest, most] = flops.perParameter;
    const mfu = [of(fewest), of(Math.max(most, flops.wholeAttention))] as const;
    const hfu = [
      of(fewest + again.least),
      of(Math.max(most, flops.wholeAttention) + again.most),
    ] as const;
    const [low, high] = isHfu ? hfu : mfu;
    const own = of(isHfu ? flops.model + flops.recomputed : flops.model);
    const isWithin = ([from, to]: readonly [number, number]): boolean =>
      share >= from * (1 - BOUND_TOLERANCE) && share <= to * (1 + BOUND_TOLERANCE);
    const agreesAsHfu = !isHfu && !isWithin(mfu) && flops.recomputed > 0 && isWithin(hfu);
    const rate = `${number(samples)} samples/s are ${percent(own)} of ${number(gpus)} × ${quantity(peak, "FLOP/s")}${high > low * 1.005 ? `, ${percent(low)} … ${percent(high)} by how attention is counted` : ""}`;
    return verdictOf(given, {
      claim: isHfu ? "hfuArithmetic" : "mfuArithmetic",
      label: `${isHfu ? "HFU" : "MFU"} of the claimed throughput`,
      promised: share,
      follows: own,
      unit: "share",
      formula: agreesAsHfu
        ? `${rate}; ${percent(share)} is its HFU, with recomputation counted: say hardwareFlopsUtilization`
        : rate,
      tolerance: BOUND_TOLERANCE,
      agrees: isWithin([low, high]) || agreesAsHfu,
      // Where the conventions in use differ little, a figure by any of them is right.
      isByOtherDefinition: agreesAsHfu || (high > mostApart * low && !isWithin([own, own])),
      paths: [
        ...flopsPaths,
        "workload.dtype",
        "hardware.peakFlops",
        "hardware.gpus",
        ...(isHfu ? ["workload.recompute"] : []),
      ],
      unsaid: [...leftOutOfSpeed(given), ...otherArithmetic(given.plan)],
      needs: [
        {
          what: "FLOPs per token",
          relation: "exactly",
          value: (share * gpus * peak) / (samples * given.plan.workload.sequence),
          unit: "FLOPs",
          because: `${percent(share)} × ${number(gpus)} × ${quantity(peak, "FLOP/s")} ÷ tokens/s`,
        },
      ],
    });
  };
}

const mostApart = 1.5;

/**
 * What a step computes again at least and at most, by how publishers count: a forward pass; of selective
 * recomputation nothing, or attention in all three passes, as Korthikanti et al. 2022 (equation 9) do. What a plan
 * does not say may be done or not.
 */
function computedAgain(
  { plan }: Case,
  { wholeAttention, withoutAttention, perParameter: [fewest, most] }: SampleFlops,
): { readonly least: number; readonly most: number } {
  const { mode, recompute } = plan.workload;
  if (mode === "inference") return { least: 0, most: 0 };
  switch (recompute?.granularity) {
    case "full": {
      const forwards = blocksAgain(plan) / 3;
      return { least: forwards * fewest, most: forwards * Math.max(most, wholeAttention) };
    }
    case "selective":
      return { least: 0, most: wholeAttention - withoutAttention };
    case undefined:
      return { least: 0, most: Math.max(most, wholeAttention) / 3 };
  }
}

/** A GPU is busy for as long as its arithmetic takes at the peak, or longer. */
const busyArithmetic: Relation = (given) => {
  const { gpuUtilization: busy, computeUtilization: mfu } = given.plan.claims;
  if (busy === undefined || mfu === undefined) return undefined;
  const tolerance = DATASHEET_TOLERANCE;
  return verdictOf(given, {
    claim: "busyArithmetic",
    label: "MFU ≤ busy",
    promised: busy,
    follows: mfu,
    unit: "share",
    formula: `${percent(mfu)} of the peak takes ${percent(mfu)} of the time at least, and GPUs are claimed to be busy for ${percent(busy)}`,
    tolerance,
    agrees: mfu <= busy * (1 + tolerance),
    paths: [],
    unsaid: leftOutOfSpeed(given),
    needs: [],
  });
};

/** Of the same step HFU counts what MFU counts, and what is computed again besides. */
const recomputeArithmetic: Relation = (given) => {
  const { plan } = given;
  const { hardwareFlopsUtilization: hfu, computeUtilization: mfu } = plan.claims;
  if (hfu === undefined || mfu === undefined || mfu === 0) return undefined;
  const flops = sampleFlops(given);
  const most = 1 + computedAgain(given, flops).most / flops.wholeAttention;
  const ratio = hfu / mfu;
  return verdictOf(given, {
    claim: "recomputeArithmetic",
    label: "HFU ÷ MFU",
    promised: ratio,
    follows: Math.min(Math.max(ratio, 1), most),
    unit: "ratio",
    formula: `HFU is ${number(ratio)} × MFU, and what is computed again makes it 1 … ${number(most)} ×`,
    tolerance: BOUND_TOLERANCE,
    agrees: ratio >= 1 - BOUND_TOLERANCE && ratio <= most * (1 + BOUND_TOLERANCE),
    paths: ["workload.mode", "workload.recompute"],
    needs: [
      {
        what: "share of a forward pass that is computed again",
        relation: "exactly",
        value: 3 * (ratio - 1),
        unit: "share",
        because: "HFU ÷ MFU − 1, of a step that is three forward passes",
      },
    ],
  });
};

/** In the order of reports, each after the claim that it stands beside. */
export const relations: Readonly<Record<string, readonly Relation[]>> = {
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
