// Claims about speed: only the work that was promised, on hardware that each rank has to itself, can decide
// them.

import type { Figure, Unit } from "../../measure/figure.ts";
import type { Metrics } from "../../measure/metrics.ts";
import { MIN_INTERVAL_SAMPLES } from "../../measure/median_interval.ts";
import type { Claims } from "../../plan/plan.ts";
import type { Judgement, Verdict } from "../verdict.ts";
import { assumptions, claimed, ratioOf, type Case, type ClaimRule } from "./case.ts";
import { describeAdapters, describeLink, describeWork } from "./obstacles.ts";

interface SpeedClaim {
  readonly key: keyof Claims;
  readonly label: string;
  readonly unit: Unit;
  /** Which side of the claimed value keeps the promise. */
  readonly promise: "at least" | "at most";
  readonly found: (metrics: Metrics) => Figure | undefined;
  /** Which of several meanings the claim is held against. */
  readonly against: string;
}

export const latencyPerLayer: ClaimRule = (given) =>
  judge(given, {
    key: "latencyPerLayerMs",
    label: "latency per layer",
    unit: "ms",
    promise: "at most",
    found: ({ layerMs }) => layerMs,
    against: "one micro-batch through one layer",
  });

export const samplesPerSecond: ClaimRule = (given) =>
  judge(given, {
    key: "samplesPerSecond",
    label: "samples per second",
    unit: "samples/s",
    promise: "at least",
    found: (metrics) => metrics.samplesPerSecond,
    against: "all GPUs together",
  });

export const tokensPerSecond: ClaimRule = (given) =>
  judge(given, {
    key: "tokensPerSecond",
    label: "tokens per second",
    unit: "tokens/s",
    promise: "at least",
    found: (metrics) => metrics.tokensPerSecond,
    against: "all GPUs together",
  });

export const gpuUtilization: ClaimRule = (given) =>
  judge(given, {
    key: "gpuUtilization",
    label: "GPU utilization",
    unit: "share",
    promise: "at least",
    found: ({ busy }) => busy,
    against: "busy %, mean over ranks",
  });

export const computeUtilization: ClaimRule = (given) =>
  judge(given, {
    key: "computeUtilization",
    label: "compute utilization",
    unit: "share",
    promise: "at least",
    found: ({ mfu }) => mfu,
    against: "MFU, model FLOP/s over the calibrated peak",
  });

const judge = (given: Case, claim: SpeedClaim): Verdict | undefined => {
  const value = given.plan.claims[claim.key];
  if (value === undefined) return undefined;
  const promised = claimed(value, claim.unit);
  const measured = given.measurements && claim.found(given.measurements.metrics);
  const found = measured && {
    ...measured,
    conditions: [...measured.conditions, ...assumptions(given.plan)],
  };
  const { judgement, reason } = decide(given, claim, value, found);
  return {
    claim: claim.key,
    label: claim.label,
    claimed: promised,
    ...(found === undefined ? {} : { found }),
    ...ratioOf(found, promised),
    judgement,
    reason: `${reason} (held against: ${claim.against})`,
    provenance: found?.provenance ?? "measured",
  };
};

interface Decision {
  readonly judgement: Judgement;
  readonly reason: string;
}

const untestable = (reason: string): Decision => ({ judgement: "untestable", reason });

const decide = (
  { plan, measurements }: Case,
  { promise }: SpeedClaim,
  value: number,
  found: Figure | undefined,
): Decision => {
  if (measurements === undefined) return untestable("nothing was run");
  if (found === undefined) return untestable("the run did not measure it");
  const obstacles = [
    describeAdapters(measurements.adapters) ?? [],
    measurements.link === undefined ? [] : describeLink(measurements.link),
    describeWork(plan),
  ].flat();
  if (obstacles.length > 0) return untestable(obstacles.join("; "));
  if (found.provenance !== "measured") return untestable("it was projected, not measured");
  if (found.interval === undefined) {
    return untestable(
      `${found.samples} ${found.samples === 1 ? "sample is" : "samples are"} too few for an ` +
        `interval, which needs ${MIN_INTERVAL_SAMPLES}`,
    );
  }
  const [low, high] = found.interval;
  const kept = promise === "at least" ? low >= value : high <= value;
  const broken = promise === "at least" ? high < value : low > value;
  if (kept) return { judgement: "confirmed", reason: "the whole interval keeps the promise" };
  if (broken) return { judgement: "refuted", reason: "the whole interval misses it" };
  return { judgement: "ambiguous", reason: "the interval straddles the claim" };
};
