// Claims of utilization: by the FLOPs of the claimed throughput, and by each other.

import { claimedSamples, type Case } from "../case.ts";
import { blocksAgain, flopsPaths, type SampleFlops, sampleFlops } from "../flops.ts";
import { leftOutOfSpeed, otherArithmetic } from "../limits/limit.ts";
import { roundingOf } from "../rounding.ts";
import { BOUND_TOLERANCE, DATASHEET_TOLERANCE } from "../table.ts";
import { number, percent, quantity } from "../words.ts";
import { type Relation, verdictOf } from "./relation.ts";

/**
 * Throughput × FLOPs per sample is the claimed share of the peak, by one of the conventions in use: causal attention
 * counted by half, whole or not at all, or 6 FLOPs per parameter and token, with the embedding or without. What agrees
 * only with recomputation counted is an HFU, whatever it is called.
 */
export function utilizationArithmetic(
  key: "computeUtilization" | "hardwareFlopsUtilization",
): Relation {
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
    const isWithin = (
      [from, to]: readonly [number, number],
      tolerance = BOUND_TOLERANCE,
    ): boolean => share >= from * (1 - tolerance) && share <= to * (1 + tolerance);
    const isHfuWithin = (tolerance: number): boolean =>
      !isHfu && flops.recomputed > 0 && isWithin(hfu, tolerance);
    const agreesAsHfu = !isWithin([low, high]) && isHfuWithin(BOUND_TOLERANCE);
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
      rounding:
        roundingOf(share) + roundingOf(claims.samplesPerSecond ?? claims.tokensPerSecond ?? 0),
      agreesWithin: (tolerance) => isWithin([low, high], tolerance) || isHfuWithin(tolerance),
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
export const busyArithmetic: Relation = (given) => {
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
    rounding: 0,
    agreesWithin: (within) => mfu <= busy * (1 + within),
    paths: [],
    unsaid: leftOutOfSpeed(given),
    needs: [],
  });
};

/** Of the same step HFU counts what MFU counts, and what is computed again besides. */
export const recomputeArithmetic: Relation = (given) => {
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
    rounding: roundingOf(hfu) + roundingOf(mfu),
    agreesWithin: (tolerance) => ratio >= 1 - tolerance && ratio <= most * (1 + tolerance),
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
