// What a claim runs up against: a bound that no run of the plan can pass, or a condition that it needs.

import { assumedAmong } from "../../plan/assumed.ts";
import { isPrinted } from "../../plan/hardware.ts";
import { featuresBeyondLayers } from "../../plan/features_beyond_layers.ts";
import { notesThatBear } from "../../plan/import/note_bearing.ts";
import { mixedPrecision, unknownOptimizations } from "../../plan/optimizations.ts";
import type { HardwareFigure, Plan } from "../../plan/plan.ts";
import type { Case } from "../case.ts";
import { BOUND_TOLERANCE, DATASHEET_TOLERANCE, type ClaimDefinition } from "../table.ts";
import type { Need } from "../verdict.ts";

export interface ClaimLimit {
  /** Such as `balance of work`. */
  readonly name: string;
  /** The best that any run of the plan can reach; absent where something of it is not known. */
  readonly best?: number;
  /** The formula with its numbers. */
  readonly because: string;
  /** Paths of the plan that it leans on. */
  readonly paths: readonly string[];
  /** What else it leans on that the plan does not say, in phrases. */
  readonly unsaid?: readonly string[];
  readonly needs: readonly Need[];
}

/** Undefined where it says nothing of that claim. */
export type LimitRule = (
  given: Case,
  claim: ClaimDefinition,
  value: number,
) => ClaimLimit | undefined;

/** Whether the claimed value is beyond what any run can reach. */
export function isBeyond(
  { plan }: Case,
  { promise }: ClaimDefinition,
  value: number,
  limit: ClaimLimit,
): boolean {
  if (limit.best === undefined) return false;
  const tolerance = leansOnDatasheet(plan, limit) ? DATASHEET_TOLERANCE : BOUND_TOLERANCE;
  return promise === "at most"
    ? value < limit.best * (1 - tolerance)
    : value > limit.best * (1 + tolerance);
}

function leansOnDatasheet({ hardware }: Plan, { paths }: ClaimLimit): boolean {
  return (["peakFlops", "memoryBandwidth", "linkBandwidth"] satisfies HardwareFigure[]).some(
    (key) => paths.includes(`hardware.${key}`) && isPrinted(hardware, key),
  );
}

/** Assumed values that the limit leans on. */
export function assumedIn({ plan }: Case, { paths }: ClaimLimit): readonly string[] {
  return assumedAmong(plan, paths);
}

/** What keeps the limit from deciding: assumed values, and what the plan does not say. */
export function weaknesses(given: Case, limit: ClaimLimit): readonly string[] {
  return [...assumedIn(given, limit), ...(limit.unsaid ?? [])];
}

/**
 * What an import left out, what is counted as another layer than it is, or a technique nobody knows, changes work and
 * peak: bounds on speed do not hold for it.
 */
export function leftOutOfSpeed({ plan }: Case): readonly string[] {
  const notes = notesThatBear(plan, "speed").map(({ code }) => code);
  const features =
    plan.model === undefined ? [] : featuresBeyondLayers(plan.model, plan.workload.sequence);
  return [
    ...notes,
    // A note of an import names a feature by itself.
    ...features
      .filter(({ name }) => !notes.includes(`${name}-not-runnable`))
      .map(({ what }) => what),
    ...unknownOptimizations(plan).map((name) => `what ${name} does`),
  ];
}

/** f32 on tensor cores is TF32, at many times the datasheet's f32; nobody says which a framework takes. */
export function otherArithmetic(plan: Plan): readonly string[] {
  const { hardware, workload } = plan;
  return workload.dtype === "f32" && isPrinted(hardware, "peakFlops")
    ? ["whether f32 products run as TF32", ...mixedPrecision(plan)]
    : mixedPrecision(plan);
}
