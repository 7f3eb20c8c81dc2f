// Claims on speed: refuted by a bound that no run can pass, else decided by a run of the very work on GPUs that each
// rank has to itself, else told what they need.

import { assumedAmong } from "../plan/assumed.ts";
import type { Figure } from "../measure/figure.ts";
import { isOverBound } from "../measure/bound_share.ts";
import { MIN_INTERVAL_SAMPLES } from "../measure/median_interval.ts";
import { standingOf } from "../measure/standing.ts";
import { claimedBy, ratioOf, type Case } from "./case.ts";
import { balanceLimit } from "./limits/balance.ts";
import { latencyLimit } from "./limits/latency.ts";
import {
  assumedIn,
  isBeyond,
  type ClaimLimit,
  type LimitRule,
  weaknesses,
} from "./limits/limit.ts";
import { linkBandwidthLimit } from "./limits/link_bandwidth.ts";
import { memoryBandwidthLimit } from "./limits/memory_bandwidth.ts";
import { peakLimit } from "./limits/peak.ts";
import { servingBandwidthLimit } from "./limits/serving_bandwidth.ts";
import { scheduleLimit } from "./limits/schedule.ts";
import { speedObstacles } from "./obstacles.ts";
import type { ClaimDefinition } from "./table.ts";
import type { Judgement, Need, Verdict } from "./verdict.ts";
import { percent, quantity, someOf } from "./words.ts";

const limitRules: readonly LimitRule[] = [
  scheduleLimit,
  balanceLimit,
  peakLimit,
  memoryBandwidthLimit,
  linkBandwidthLimit,
  latencyLimit,
];

/** The others are of steps that are all alike. */
const servingLimits: readonly LimitRule[] = [servingBandwidthLimit];

interface Decision {
  readonly judgement: Judgement;
  readonly reason: string;
}

export function judgeSpeed(given: Case, claim: ClaimDefinition, value: number): Verdict {
  const rules = given.plan.workload.mode === "serving" ? servingLimits : limitRules;
  const limits = rules.flatMap((rule) => rule(given, claim, value) ?? []);
  const base = {
    ...claimedBy(claim, value),
  };
  const beyond = limits.filter((limit) => isBeyond(given, claim, value, limit));
  const firm = beyond.find((limit) => weaknesses(given, limit).length === 0);
  const found = foundFor(given, claim);
  const measured = { ...(found === undefined ? {} : { found }), ...ratioOf(found, base.claimed) };
  if (firm !== undefined) {
    return {
      ...base,
      ...measured,
      judgement: "refuted",
      reason: `no run of the plan can reach it (${firm.name}): ${firm.because}`,
      provenance: "estimated",
      leansOn: [],
      needs: firm.needs,
    };
  }
  const decision = decide(given, claim, value, found);
  const isOpen = decision.judgement === "untestable" || decision.judgement === "ambiguous";
  const weak = beyond.map(
    (limit) =>
      `${limit.name}: ${limit.because}, but that leans on ${someOf(weaknesses(given, limit))}`,
  );
  return {
    ...base,
    ...measured,
    judgement: decision.judgement,
    reason: [
      `${decision.reason} (held against: ${claim.against})`,
      ...besidesPlansPeak(given, claim),
      ...weak,
    ].join("; "),
    provenance: found?.provenance ?? "measured",
    leansOn: [...new Set(limits.flatMap((limit) => assumedIn(given, limit)))],
    needs: isOpen ? needsOf(limits, claim, value) : [],
  };
}

/** Conditions of all limits; a share of time without any says what it means. */
function needsOf(
  limits: readonly ClaimLimit[],
  { key }: ClaimDefinition,
  value: number,
): readonly Need[] {
  const needs = limits.flatMap((limit) => limit.needs);
  if (needs.length > 0 || key !== "gpuUtilization") return needs;
  return [
    {
      what: "idle time of a GPU",
      relation: "at most",
      value: 1 - value,
      unit: "share",
      because: "busy + idle = 100 % of a step; waiting for others and for the host is idle time",
    },
  ];
}

function foundFor(given: Case, claim: ClaimDefinition): Figure | undefined {
  const { plan, measurements } = given;
  if (measurements === undefined || isOfDecodeAlone(given, claim)) return undefined;
  const measured = isOfPlansPeak(given, claim)
    ? againstPlansPeak(given, claim)
    : claim.found?.(measurements.metrics);
  // A share of more than there is was not found: `decide` says so.
  if (measured?.unit === "share" && isOverBound(measured)) return undefined;
  const assumed = assumedAmong(plan, ["model", "stages", "workload"]);
  return (
    measured && {
      ...measured,
      conditions: [
        ...measured.conditions,
        ...(assumed.length === 0 ? [] : [`assumed: ${assumed.join(", ")}`]),
      ],
    }
  );
}

/** Shares and latencies of a step, which of a plan that serves are measured of decode steps. */
function isOfDecodeAlone({ plan }: Case, { key }: ClaimDefinition): boolean {
  return (
    plan.workload.mode === "serving" && (key.endsWith("Utilization") || key === "latencyPerLayerMs")
  );
}

/** The other of the two utilizations, where the plan gives a peak. */
function besidesPlansPeak(given: Case, claim: ClaimDefinition): string[] {
  const { peakFlops } = given.plan.hardware;
  const calibrated = given.measurements && claim.found?.(given.measurements.metrics);
  return peakFlops === undefined ||
    calibrated === undefined ||
    isOfDecodeAlone(given, claim) ||
    againstPlansPeak(given, claim) === undefined
    ? []
    : [
        `of the plan's peak of ${quantity(peakFlops, "FLOP/s")}; ${percent(calibrated.value)} of the calibrated one`,
      ];
}

/** Whether the plan gives the peak that a claimed share is of. */
function isOfPlansPeak({ plan }: Case, { flopsRate }: ClaimDefinition): boolean {
  return flopsRate !== undefined && plan.hardware.peakFlops !== undefined;
}

/** Where the plan gives a peak, utilization is a share of that; the share of the calibrated one stands beside it. */
function againstPlansPeak(
  { plan, measurements }: Case,
  claim: ClaimDefinition,
): Figure | undefined {
  const { peakFlops, gpus } = plan.hardware;
  const rate = measurements && claim.flopsRate?.(measurements.metrics);
  if (measurements === undefined || peakFlops === undefined || rate === undefined) return undefined;
  const peak = gpus * peakFlops;
  const calibrated = claim.found?.(measurements.metrics);
  return {
    ...rate,
    value: rate.value / peak,
    unit: "share",
    ...(rate.interval === undefined
      ? {}
      : { interval: [rate.interval[0] / peak, rate.interval[1] / peak] as const }),
    conditions: [
      ...rate.conditions,
      "of the plan's peak",
      ...(calibrated === undefined ? [] : [`${percent(calibrated.value)} of the calibrated peak`]),
    ],
  };
}

/** Why a share of the plan's peak is no result, where the run did more than that. */
function beyondPlansPeak(given: Case, claim: ClaimDefinition): string | undefined {
  const { peakFlops } = given.plan.hardware;
  const reached = againstPlansPeak(given, claim);
  return peakFlops === undefined || reached === undefined || !isOverBound(reached)
    ? undefined
    : `the run reached ${percent(reached.value)} of the plan's peak of ${quantity(peakFlops, "FLOP/s")}: hardware.peakFlops is too low, or it is of another GPU`;
}

function untestable(reason: string): Decision {
  return { judgement: "untestable", reason };
}

const judgements = { kept: "confirmed", broken: "refuted", open: "ambiguous" } as const;

function decide(
  given: Case,
  claim: ClaimDefinition,
  value: number,
  found: Figure | undefined,
): Decision {
  const { plan, measurements } = given;
  const { promise } = claim;
  if (measurements === undefined) return untestable("nothing was run");
  const [contradiction] = measurements.metrics.overBound;
  if (contradiction !== undefined) {
    const { name, cause } = contradiction;
    return untestable(
      `the measurement contradicts itself: ${name} is ${percent(contradiction.found.value)}, more than there is: ${cause}`,
    );
  }
  if (isOfDecodeAlone(given, claim)) {
    return untestable("of a plan that serves, a run measures it of decode steps alone");
  }
  if (found === undefined)
    return untestable(beyondPlansPeak(given, claim) ?? "the run did not measure it");
  const obstacles = speedObstacles(plan, measurements);
  if (obstacles.length > 0) return untestable(obstacles.join("; "));
  if (found.provenance !== "measured") return untestable("it was projected, not measured");
  if (found.interval === undefined) {
    return untestable(
      `${found.samples} ${found.samples === 1 ? "sample is" : "samples are"} too few for an ` +
        `interval, which needs ${MIN_INTERVAL_SAMPLES}`,
    );
  }
  if (promise === "exactly") throw new Error("no speed is promised exactly");
  const { is, because } = standingOf({ ...found, interval: found.interval }, value, promise);
  return { judgement: judgements[is], reason: because };
}
