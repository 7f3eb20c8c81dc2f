// Whole runs on two ranks of all that attention can do, in turns in f32 and f16.

import { expect, test } from "vitest";
import { runPlan } from "../../src/harness/run_plan.ts";
import { attentionPlans } from "../support/attention_plans.ts";
import { adapterUnderTest, describeOnAdapter } from "../support/gpu.ts";

const adapter = adapterUnderTest();

function onTwoRanks(dtype: "f32" | "f16") {
  return attentionPlans(dtype).filter(({ hardware }) => hardware.gpus === 2);
}

const single = onTwoRanks("f32");
const half = onTwoRanks("f16");
const inTurns = single.map((plan, i) => (i % 2 === 0 ? plan : (half[i] ?? plan)));

describeOnAdapter("a run with attention", () => {
  test.each(inTurns.map((plan) => [plan.workload.dtype, plan.name, plan] as const))(
    "in %s, %s",
    async (_dtype, _name, plan) => {
      const result = await runPlan(plan, { adapter, numericsOnly: true, check: "oracle" });
      expect(result.outcome).toEqual({ state: "complete" });
      const { check, estimate, memory } = result;
      expect(check?.error).toBeLessThanOrEqual(check?.tolerance ?? 0);
      expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
        estimate.ranks.map(({ memoryBytes }) => memoryBytes),
      );
    },
  );
});
