// Whole runs on two ranks of what attention can do, by twos in f32 and f16.

import { expect, test } from "vitest";
import { runPlan } from "../../src/harness/run_plan.ts";
import { attentionPlans } from "../support/attention_plans.ts";
import { adapterUnderTest, describeOnAdapter, shareOf } from "../support/gpu.ts";

const adapter = adapterUnderTest();

/** Those whose programs differ in more than the numbers of a table. */
const names = [
  "positions past the fine table",
  "rotary positions of neighbors, on part of a head",
  "a layer without positions, one with a window and a base of its own",
  "slopes",
  "biases",
  "norms of each head with weights of its own",
  "norms over all heads",
  "capped scores of another scale",
  "sinks within a window",
  "latent attention",
  "a temperature of layers without positions",
  "a gate of the result",
  "linear attention",
  "linear attention of as many heads, whose convolution is longer than a sequence",
];

const plans = names.flatMap((name, i) =>
  attentionPlans(i % 4 < 2 ? "f32" : "f16").filter((plan) => plan.name === `${name}, two ranks`),
);

describeOnAdapter("a run with attention", () => {
  test.each(shareOf(plans).map((plan) => [plan.workload.dtype, plan.name, plan] as const))(
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
