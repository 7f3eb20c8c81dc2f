// Runs of what models do otherwise in their blocks: on an adapter they compute what the reference says.

import { expect, test } from "vitest";
import { runPlan } from "../../src/harness/run_plan.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { biasedPlansIn } from "../support/biased_plans.ts";
import { adapterUnderTest, describeOnAdapter, shareOf } from "../support/gpu.ts";
import { variantPlan, variants } from "../support/variant_plans.ts";

const adapter = adapterUnderTest();

/** Of a complete run, whose instructions are all checked: the error of its result, and memory by rank. */
async function run(plan: Plan) {
  const options = { adapter, numericsOnly: true, check: "oracle" } as const;
  const { outcome, check, estimate, memory } = await runPlan(plan, options);
  if (outcome.state !== "complete") throw new Error(`${plan.name}: ${JSON.stringify(outcome)}`);
  return {
    error: check?.error,
    allocated: memory.map(({ allocatedBytes }) => allocatedBytes),
    estimated: estimate.ranks.map(({ memoryBytes }) => memoryBytes),
  };
}

const dtypes = [
  ["f32", 1e-5],
  ["f16", 1e-2],
] as const;

describeOnAdapter("on an adapter", () => {
  test.each(shareOf(dtypes))(
    "products with biases, in %s",
    async (dtype, tolerance) => {
      for (const plan of biasedPlansIn(dtype)) {
        const { error, allocated, estimated } = await run(plan);
        expect(error).toBeLessThanOrEqual(tolerance);
        expect(allocated).toEqual(estimated);
      }
    },
    600_000,
  );

  // By twos in either type: a run takes seconds.
  test.each(
    shareOf(
      variants.map((each, i) => [each.name, i % 4 < 2 ? dtypes[0] : dtypes[1], each] as const),
    ),
  )(
    "%s, in %s",
    async (_, [dtype, tolerance], variant) => {
      const { error, allocated, estimated } = await run(variantPlan(variant, dtype));
      expect(error).toBeLessThanOrEqual(tolerance);
      expect(allocated).toEqual(estimated);
    },
    600_000,
  );
});
