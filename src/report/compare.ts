// Every claim of a plan held against what was estimated and measured.

import type { Plan } from "../plan/plan.ts";
import type { Estimate } from "../program/estimate.ts";
import { memoryArithmetic, tokenArithmetic } from "./claims/arithmetic.ts";
import type { ClaimRule, Measurements } from "./claims/case.ts";
import { memoryAvailable, memoryUtilization } from "./claims/memory.ts";
import { expertsPerGpu, expertVariance, tensorGroupSize } from "./claims/placement.ts";
import { strongScaling, weakScaling } from "./claims/scaling.ts";
import {
  computeUtilization,
  gpuUtilization,
  latencyPerLayer,
  samplesPerSecond,
  tokensPerSecond,
} from "./claims/speed.ts";
import type { Verdict } from "./verdict.ts";

/** In the order of the report. */
const rules: readonly ClaimRule[] = [
  latencyPerLayer,
  samplesPerSecond,
  tokensPerSecond,
  tokenArithmetic,
  gpuUtilization,
  computeUtilization,
  memoryUtilization,
  memoryAvailable,
  memoryArithmetic,
  expertsPerGpu,
  expertVariance,
  tensorGroupSize,
  strongScaling,
  weakScaling,
];

/**
 * One verdict per claim, and one per relation between claims.
 *
 * Speed is decided only where the plan's own work ran, with no shape assumed, on hardware adapters that no
 * two ranks share, by the 95 % interval of the measured median; everything that follows from the plan or its program is decided anywhere.
 *
 * @param estimate of the program lowered from `plan`
 * @param measurements of a run of the same plan, such as a `RunResult`; without it speed is untestable
 */
export const comparePlan = (
  plan: Plan,
  estimate: Estimate,
  measurements?: Measurements,
): Verdict[] =>
  rules.flatMap((rule) => {
    const given =
      measurements === undefined ? { plan, estimate } : { plan, estimate, measurements };
    return rule(given) ?? [];
  });
