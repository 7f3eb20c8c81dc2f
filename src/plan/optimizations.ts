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

/** Of a plan in f32 that names it: nobody knows what is computed, kept and sent in 16 bits. In a phrase. */
export function mixedPrecision({
  optimizations,
  workload,
}: Pick<Plan, "optimizations" | "workload">): string[] {
  return workload.dtype === "f32" && optimizations.includes("mixed-precision")
    ? ["what mixed precision has in 16 bits"]
    : [];
}
