// Claims about speed: only the work that was promised, on hardware that each rank has to itself, can decide
// them.

import { isOverBound } from "../../measure/bound_share.ts";
import type { Figure, Unit } from "../../measure/figure.ts";
import type { Metrics } from "../../measure/metrics.ts";
import { standingOf } from "../../measure/standing.ts";
import { MIN_INTERVAL_SAMPLES } from "../../measure/median_interval.ts";
import type { Claims } from "../../plan/plan.ts";
import { describeOverBound } from "../over_bound_lines.ts";
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
  const measured = given.measurements && possible(claim.found(given.measurements.metrics));
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

/** A share of more than there is was not found. */
const possible = (figure: Figure | undefined): Figure | undefined =>
  figure?.unit === "share" && isOverBound(figure) ? undefined : figure;

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
  const [contradiction] = measurements.metrics.overBound;
  if (contradiction !== undefined) {
    return untestable(`the measurement contradicts itself: ${describeOverBound(contradiction)}`);
  }
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
  const { is, because } = standingOf({ ...found, interval: found.interval }, value, promise);
  return { judgement: judgements[is], reason: because };
};

const judgements = { kept: "confirmed", broken: "refuted", open: "ambiguous" } as const;
