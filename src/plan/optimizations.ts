// Names of techniques, and which of them have a meaning here.

import type { Plan } from "./plan.ts";

/** Techniques that the field has a settled name for. */
export const knownOptimizations = [
  "fused-attention",
  "communication-overlap",
  "activation-checkpointing",
  "mixed-precision",
  "async-data-pipeline",
  "gradient-accumulation",
];

/** Techniques by names that have no settled meaning: they may change work, weights and peak alike. */
export function unknownOptimizations({ optimizations }: Pick<Plan, "optimizations">): string[] {
  return optimizations.filter((name) => !knownOptimizations.includes(name));
}
