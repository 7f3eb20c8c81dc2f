// Ranks that share sequences: results, losses and gradients are the reference's, and memory is as estimated.

import { expect, test } from "vitest";
import { runPlan } from "../../src/harness/run_plan.ts";
import { contextPlan, type SharedSequences } from "../support/context_plans.ts";
import { adapterUnderTest, describeOnAdapter } from "../support/gpu.ts";

const adapter = adapterUnderTest();

describeOnAdapter("ranks that share sequences", () => {
  test.each<[string, SharedSequences]>([
    ["a forward pass in f16", { gpus: 2, parallel: "context: 2", mode: "inference", dtype: "f16" }],
    [
      "a step of training, keys and values on their way beside attention",
      {
        gpus: 2,
        parallel: "context: 2",
        model: "kvHeads: 1, positions: { kind: learned, count: 14, offset: 2 }",
        optimizations: "communication-overlap",
      },
    ],
  ])("%s", async (_, split) => {
    const result = await runPlan(contextPlan(split), { adapter, numericsOnly: true });
    const { outcome, check, memory, estimate } = result;
    expect(outcome).toEqual({ state: "complete" });
    expect(check?.error).toBeLessThan(check?.tolerance ?? 0);
    const { error, tolerance } = check?.training ?? { error: 0, tolerance: 5e-6 };
    expect(error).toBeLessThan(tolerance);
    expect(check?.training === undefined).toBe(split.mode === "inference");
    expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
      estimate.ranks.map(({ memoryBytes }) => memoryBytes),
    );
  });
});
