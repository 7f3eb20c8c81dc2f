// Runs of models whose weights lie in several buffers each.

import { expect, test } from "vitest";
import { runPlan } from "../../src/harness/run_plan.ts";
import { adapterUnderTest, describeOnAdapter } from "../support/gpu.ts";
import { tiledPlans } from "../support/tiled_plans.ts";

const adapter = adapterUnderTest();

const runs = [
  { dtype: "f16", at: 0, check: "unsharded" },
  { dtype: "f32", at: 1, check: "oracle" },
  { dtype: "f32", at: 2, check: "oracle" },
  { dtype: "f32", at: 3, check: "unsharded" },
] as const;

describeOnAdapter("weights in tiles", () => {
  test.each(
    runs.map(({ dtype, at, check }) => {
      const { name, inTiles } = tiledPlans(dtype)[at]!;
      return { name, dtype, check, inTiles };
    }),
  )("$name, $dtype", async ({ dtype, check, inTiles }) => {
    const result = await runPlan(inTiles, { adapter, numericsOnly: true, check });
    expect(result.outcome).toEqual({ state: "complete" });
    expect(result.check?.error).toBeLessThanOrEqual(dtype === "f32" ? 1e-5 : 1e-2);
    expect(result.memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
      result.estimate.ranks.map(({ memoryBytes }) => memoryBytes),
    );
  });
});
