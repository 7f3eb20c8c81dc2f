// No GPU does more FLOPs than its peak: samples/s · FLOPs per sample ≤ utilization · GPUs · peak.

import { fastestGpu } from "../../plan/gpu_names.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Case } from "../case.ts";
import { flopsPaths, sampleFlops, seesWholeSequences } from "../flops.ts";
import type { Need } from "../verdict.ts";
import { number, percent, quantity } from "../words.ts";
import { leftOutOfSpeed, type ClaimLimit, type LimitRule, otherArithmetic } from "./limit.ts";

const paths = [...flopsPaths, "hardware.gpus", "hardware.peakFlops", "workload.dtype"] as const;

export const peakLimit: LimitRule = (given, { key }, value) => {
  switch (key) {
    case "samplesPerSecond":
      return throughput(given, value, 1);
    case "tokensPerSecond":
      return throughput(given, value / given.plan.workload.sequence, given.plan.workload.sequence);
    case "computeUtilization":
    case "hardwareFlopsUtilization":
      return utilization(given, value, key);
    default:
      return undefined;
  }
};

/** @param perSample by how much the claim's unit is larger than samples */
function throughput(given: Case, samples: number, perSample: number): ClaimLimit | undefined {
  const { plan } = given;
  const { gpus, peakFlops } = plan.hardware;
  const { least, model } = sampleFlops(given);
  if (least === 0) return undefined;
  const needed = (samples * model) / gpus;
  const share = plan.claims.computeUtilization;
  if (peakFlops === undefined) {
    return {
      name: "peak",
      because: `${quantity(model, "FLOPs")} per sample on ${number(gpus)} GPUs`,
      paths,
      needs: [peakFor(plan, needed / (share ?? 1), share), ...flopsPerTokenFor(plan, samples)],
    };
  }
  const best = (gpus * peakFlops) / least;
  const unsaid = [...leftOutOfSpeed(given), ...otherArithmetic(plan)];
  return {
    name: "peak",
    best: best * perSample,
    because: `${quantity(least, "FLOPs")} per sample at least, on ${number(gpus)} × ${quantity(peakFlops, "FLOP/s")}, allow ${number(best * perSample)} per second`,
    paths,
    unsaid,
    needs: [
      {
        what: "MFU",
        relation: "at least",
        value: needed / peakFlops,
        unit: "share",
        because: `${number(samples)} samples/s × ${quantity(model, "FLOPs")} ÷ (${number(gpus)} × ${quantity(peakFlops, "FLOP/s")})`,
        ...(needed > peakFlops && seesWholeSequences(plan) && unsaid.length === 0
          ? { absurd: "more than the peak" }
          : {}),
      },
    ],
  };
}

function peakFor(plan: Plan, value: number, share: number | undefined): Need {
  const fastest = fastestGpu(plan.workload.dtype);
  return {
    what: "hardware.peakFlops",
    relation: "at least",
    value,
    unit: "FLOP/s",
    because: `throughput × FLOPs per sample ÷ GPUs${share === undefined ? "" : `, at the claimed ${percent(share)} of the peak`}`,
    ...(value > 2 * fastest.flops
      ? {
          absurd: `${fastest.name}, the fastest GPU known here, has ${quantity(fastest.flops, "FLOP/s")}`,
        }
      : {}),
  };
}

/** With sizes that are assumed: what they may be at most, for each FLOP/s of the peak. */
function flopsPerTokenFor({ hardware, workload, claims }: Plan, samples: number): Need[] {
  const share = claims.computeUtilization ?? 1;
  const tokens = samples * workload.sequence;
  const perTeraflop = (share * hardware.gpus * 1e12) / tokens;
  return [
    {
      what: "FLOPs per token, for each TFLOP/s of a GPU's peak",
      relation: "at most",
      value: perTeraflop,
      unit: "FLOPs",
      because: `tokens/s · FLOPs per token ≤ ${percent(share)} · ${number(hardware.gpus)} GPUs · peak`,
    },
  ];
}

function utilization(given: Case, value: number, key: string): ClaimLimit | undefined {
  const { plan } = given;
  const { peakFlops, gpus } = plan.hardware;
  const { model, recomputed } = sampleFlops(given);
  const perSample = key === "hardwareFlopsUtilization" ? model + recomputed : model;
  if (perSample === 0) return undefined;
  if (peakFlops === undefined) {
    return {
      name: "peak",
      because: "the plan gives no peak (hardware.peakFlops or hardware.gpu)",
      paths,
      needs: [
        {
          what: "samples/s for each TFLOP/s of a GPU's peak",
          relation: "at least",
          value: (value * gpus * 1e12) / perSample,
          unit: "samples/s",
          because: `utilization · GPUs · peak ÷ ${quantity(perSample, "FLOPs")} per sample`,
        },
      ],
    };
  }
  return {
    name: "peak",
    because: `${quantity(perSample, "FLOPs")} per sample on ${number(gpus)} × ${quantity(peakFlops, "FLOP/s")}`,
    paths,
    needs: [
      {
        what: "samples/s",
        relation: "at least",
        value: (value * gpus * peakFlops) / perSample,
        unit: "samples/s",
        because: `${percent(value)} · ${number(gpus)} × ${quantity(peakFlops, "FLOP/s")} ÷ ${quantity(perSample, "FLOPs")} per sample`,
      },
    ],
  };
}
