// Rules on the techniques a plan says it uses.

import { knownOptimizations } from "../optimizations.ts";
import { suggest } from "../suggestion.ts";
import { info, type Rule, warning } from "./rule.ts";

const trainingOnly = new Set(["activation-checkpointing", "gradient-accumulation"]);

/** A name nobody knows is a typing error more often than a discovery. */
export const optimizationsAreKnown: Rule = ({ optimizations }) =>
  optimizations.flatMap((name, i) => {
    if (knownOptimizations.includes(name)) return [];
    const near = suggest(name, knownOptimizations);
    return [
      warning(
        "optimization-unknown",
        ["optimizations", i],
        `unknown optimization ${JSON.stringify(name)}`,
        near === undefined
          ? `known are ${knownOptimizations.join(", ")}`
          : `did you mean ${JSON.stringify(near)}?`,
      ),
    ];
  });

/** What is claimed must have something to act on. */
export const optimizationsApply: Rule = ({ optimizations, workload }) =>
  optimizations.flatMap((name, i) => {
    const path = ["optimizations", i];
    if (workload.mode === "inference" && trainingOnly.has(name)) {
      return [
        info(
          "optimization-without-effect",
          path,
          `${name} has no effect in inference: there are no gradients`,
        ),
      ];
    }
    if (name === "activation-checkpointing" && workload.recompute === undefined) {
      return [
        info(
          "optimization-without-effect",
          path,
          `${name} changes no figure here: workload.recompute does not say what is recomputed, and memory is counted without`,
          "say it: workload.recompute: {granularity: full, method: uniform, layers: 1}, or {granularity: selective}",
        ),
      ];
    }
    if (name === "mixed-precision" && workload.dtype === "f32") {
      return [
        warning(
          "optimization-contradicts-dtype",
          path,
          "mixed precision is claimed, but the workload's dtype is f32 throughout",
          "set workload.dtype to f16; sums are kept in f32 either way",
        ),
      ];
    }
    return [];
  });
