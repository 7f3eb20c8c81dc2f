// Runs of models whose weights lie in several buffers each.

import { expect, test } from "vitest";
import { runPlan } from "../../src/harness/run_plan.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { adapterUnderTest, describeOnAdapter, describeOnOneAdapter } from "../support/gpu.ts";
import { tiledPlans } from "../support/tiled_plans.ts";

const adapter = adapterUnderTest();

/** What the run found, beside what it should have. */
async function ran(plan: Plan, check: "oracle" | "unsharded") {
  const result = await runPlan(plan, { adapter, numericsOnly: true, check });
  return {
    outcome: result.outcome,
    error: result.check?.error ?? Infinity,
    bytes: result.memory.map(({ allocatedBytes }) => allocatedBytes),
    estimated: result.estimate.ranks.map(({ memoryBytes }) => memoryBytes),
  };
}

const inTiles = tiledPlans("f32");

describeOnAdapter("weights in tiles", () => {
  test("a shared table on each of two ranks", async () => {
    const { outcome, error, bytes, estimated } = await ran(inTiles[1]!.inTiles, "oracle");
    expect(outcome).toEqual({ state: "complete" });
    expect(error).toBeLessThanOrEqual(1e-5);
    expect(bytes).toEqual(estimated);
  });
});

describeOnOneAdapter("weights in tiles, whatever is checked of each instruction,", () => {
  test.each([
    { name: "with biases and gates", plan: tiledPlans("f16")[0]!, check: "unsharded" },
    { name: "of experts", plan: inTiles[2]!, check: "oracle" },
    { name: "of products in windows of rows", plan: inTiles[3]!, check: "unsharded" },
  ] as const)("$name", async ({ plan, check }) => {
    const { outcome, error, bytes, estimated } = await ran(plan.inTiles, check);
    expect(outcome).toEqual({ state: "complete" });
    expect(error).toBeLessThanOrEqual(check === "oracle" ? 1e-5 : 1e-2);
    expect(bytes).toEqual(estimated);
  });
});
