// The fingerprint that ties a result to its plan.

import type { Plan } from "../plan/plan.ts";
import { fingerprint } from "./fingerprint.ts";

/** sha256, in hex, of the plan as JSON with its keys in order. Comments and formatting do not count. */
export function planHash(plan: Plan): string {
  return fingerprint(plan);
}

/**
 * The same for all plans that ask for the same work, whatever they are called and claim. All that a plan says
 * counts as work, but for what its verdicts are read from: what it claims, what it assumes, and what each of its
 * GPUs can do.
 */
export function workHash(plan: Plan): string {
  const { name: _, claims: __, assumed: ___, hardware, optimizations, ...work } = plan;
  return fingerprint({
    ...work,
    gpus: hardware.gpus,
    optimizations: [...new Set(optimizations)].toSorted(),
  });
}
