// Blocks as published models have them: what they compute, what they hold, and how often they communicate.

import { describe, expect, test } from "vitest";
import { estimatePlan } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import { unshard } from "../../src/program/unshard.ts";
import { variantPlan, variants } from "../support/variant_plans.ts";
import { worstError } from "../support/worst_error.ts";

describe.each(variants.map((each) => [each.name, each] as const))("%s", (_, variant) => {
  const plan = variantPlan(variant);

  test("computes what its layers mean, sharded or not", async () => {
    expect(await worstError(plan)).toBeLessThan(1e-5);
    expect(await worstError(unshard(plan))).toBeLessThan(1e-5);
  });

  test("holds as many weights as its model is counted with", () => {
    const { parameters } = estimatePlan(plan);
    expect(parameters.inProgram).toBe(parameters.total);
  });
});

/** Names of a rank's instructions of one micro-batch, by layer. */
function instructionsOf(of: Parameters<typeof variantPlan>[0], rank = 0): string[] {
  return lower(variantPlan(of)).ranks[rank]!.instructions.flatMap((one) => {
    if (!("origin" in one) || one.origin.microBatch > 0 || one.op === "observe") return [];
    return [one.op === "kernel" ? one.kernel : one.op];
  });
}

test("attention and MLP side by side are summed over the ranks at once", () => {
  const layout = { gpus: 2, parallel: { tensor: 2 } };
  const sums = (model: object): number =>
    instructionsOf({ name: "sums", ...layout, model: { layers: 1, ...model } }).filter(
      (name) => name === "all-reduce",
    ).length;
  // One more of the embedding.
  expect(sums({})).toBe(3);
  expect(sums({ parallelResidual: "shared-norm" })).toBe(2);
  expect(sums({ parallelResidual: "own-norms" })).toBe(2);
});

test("on one rank both sums of parallel blocks are parts of products", () => {
  const kernels = instructionsOf({
    name: "fused",
    model: { layers: 1, parallelResidual: "shared-norm" },
  });
  expect(kernels).toEqual([
    "input",
    "embedding",
    "rms_norm",
    "matmul",
    "attention",
    "matmul",
    "matmul",
    "matmul",
    "add_rms_norm",
    "matmul",
  ]);
});
