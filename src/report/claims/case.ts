// What a claim is judged by, and the small pieces that all judgements share.

import type { Figure, Unit } from "../../measure/figure.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Estimate } from "../../program/estimate.ts";
import type { RunResult } from "../result.ts";
import type { Verdict } from "../verdict.ts";

/** The part of a run that claims are held against. */
export type Measurements = Pick<RunResult, "adapters" | "link" | "metrics">;

export interface Case {
  readonly plan: Plan;
  readonly estimate: Estimate;
  /** Absent when nothing ran. */
  readonly measurements?: Measurements;
}

/** The verdict on one claim, or on a relation between claims; undefined where the plan claims nothing. */
export type ClaimRule = (given: Case) => Verdict | undefined;

export const claimed = (value: number, unit: Unit): Figure => ({
  value,
  unit,
  samples: 0,
  provenance: "claimed",
  conditions: [],
});

/** A figure that follows from the plan alone. */
export const fromPlan = (
  value: number,
  unit: Unit,
  conditions: readonly string[] = [],
): Figure => ({
  value,
  unit,
  samples: 0,
  provenance: "estimated",
  conditions,
});

/** Found ÷ claimed, where that means something. */
export const ratioOf = (found: Figure | undefined, claim: Figure): { readonly ratio?: number } =>
  found === undefined || claim.value === 0 ? {} : { ratio: found.value / claim.value };

/** Whole parts of a plan can be assumed, and indices written as `stages[0]`. */
const DIMENSIONS = [
  // Those with the largest say come first: a reader may see only a few.
  /^(model|stages)\b/,
  /^workload(\.(batch|microBatches|sequence|dtype))?$/,
];

/** The values whose size decides how much work and memory a step needs, and which nobody gave. */
export const assumedDimensions = (plan: Plan): readonly string[] =>
  DIMENSIONS.flatMap((root) => plan.assumed.filter((path) => root.test(path)));

/** One condition that names them all; none when everything was given. */
export const assumptions = (plan: Plan): readonly string[] => {
  const paths = assumedDimensions(plan);
  return paths.length === 0 ? [] : [`assumed: ${paths.join(", ")}`];
};

/** The first few of them and how many more; a figure's conditions name them all. */
export const shortened = (paths: readonly string[]): string => {
  const more = paths.length > 4 ? ` and ${paths.length - 4} more` : "";
  return `${paths.slice(0, 4).join(", ")}${more}`;
};
