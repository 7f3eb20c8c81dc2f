// The Pareto front: what is beaten by nothing in all three figures at once.

import type { FoundPlan } from "./candidate.ts";

/** By step, the shortest first; of equals one. */
export function frontOf(found: readonly FoundPlan[]): FoundPlan[] {
  const front = found.filter(
    (each, i) =>
      !found.some((other, j) => {
        if (i === j || !isAsGood(other, each)) return false;
        return !isAsGood(each, other) || j < i;
      }),
  );
  return front.toSorted((a, b) => a.prediction.stepMs - b.prediction.stepMs);
}

function isAsGood({ prediction: a }: FoundPlan, { prediction: b }: FoundPlan): boolean {
  return a.stepMs <= b.stepMs && a.latencyMs <= b.latencyMs && a.memoryBytes <= b.memoryBytes;
}
