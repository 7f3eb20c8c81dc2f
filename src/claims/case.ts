// What claims are judged by, and the small pieces that all judgements share.

import type { Figure, Unit } from "../measure/figure.ts";
import type { Metrics } from "../measure/metrics.ts";
import type { Plan } from "../plan/plan.ts";
import type { PlanEstimate } from "../program/estimate.ts";
import type { ClaimDefinition } from "./table.ts";
import type { Verdict } from "./verdict.ts";
import type { SimulatedLink } from "../program/simulate/link_cost.ts";

/** What a verdict must know of the adapter that a rank ran on. */
export interface JudgedAdapter {
  readonly rank: number;
  readonly id: string;
  readonly name: string;
  readonly software: boolean;
  /** Other ranks on the same GPU, or on one that is not proven to be another. */
  readonly sharedWith: readonly number[];
  readonly core?: number;
  readonly keptAwake?: true;
}

/** The part of a run that claims are held against. */
export interface Measurements {
  readonly adapters: readonly JudgedAdapter[];
  /** Emulated between all ranks. */
  readonly link?: SimulatedLink;
  readonly metrics: Metrics;
}

/** Efficiencies of the plan's GPUs beside one, from `shardbench scaling`. */
export interface FoundScaling {
  readonly adapters: readonly JudgedAdapter[];
  readonly link?: SimulatedLink;
  readonly strongScaling?: Figure;
  readonly weakScaling?: Figure;
}

export interface Case {
  readonly plan: Plan;
  readonly estimate: PlanEstimate;
  /** Absent when nothing ran. */
  readonly measurements?: Measurements;
  /** Absent when no one GPU was timed beside them. */
  readonly scaling?: FoundScaling;
}

export function claimed(value: number, unit: Unit): Figure {
  return {
    value,
    unit,
    samples: 0,
    provenance: "claimed",
    conditions: [],
  };
}

/** A figure that follows from the plan alone. */
export function fromPlan(value: number, unit: Unit, conditions: readonly string[] = []): Figure {
  return { value, unit, samples: 0, provenance: "estimated", conditions };
}

/** What a verdict says of the claim itself. */
export function claimedBy(
  { key, label, unit, tolerance }: ClaimDefinition,
  value: number,
): Pick<Verdict, "claim" | "label" | "claimed" | "tolerance"> {
  return {
    claim: key,
    label,
    claimed: claimed(value, unit),
    tolerance,
  };
}

/** Found ÷ claimed, where that means something. */
export function ratioOf(found: Figure | undefined, claim: Figure): { readonly ratio?: number } {
  return found === undefined || claim.value === 0 ? {} : { ratio: found.value / claim.value };
}

/** The largest value of an item; 0 for none. */
export function largest<T>(items: readonly T[], of: (item: T) => number): number {
  let most = 0;
  for (const item of items) most = Math.max(most, of(item));
  return most;
}

/** Samples per second as claimed, or as they follow from claimed tokens. */
export function claimedSamples({ claims, workload }: Plan): number | undefined {
  return (
    claims.samplesPerSecond ??
    (claims.tokensPerSecond === undefined ? undefined : claims.tokensPerSecond / workload.sequence)
  );
}
