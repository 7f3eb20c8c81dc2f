import { describe, expect, test } from "vitest";
import { lower } from "../../src/program/lower.ts";
import { unshard } from "../../src/program/unshard.ts";
import { attentionPlans } from "../support/attention_plans.ts";
import { worstError } from "../support/worst_error.ts";

describe("attention gives what the reference gives", () => {
  test.each(attentionPlans().map((each) => [each.name, each] as const))("%s", async (_, plan) => {
    expect(await worstError(plan)).toBeLessThan(1e-6);
    expect(await worstError(unshard(plan))).toBeLessThan(1e-6);
  });
});

describe("attention that is not fused gives what the reference gives", () => {
  const plans = attentionPlans().filter(
    ({ name }) => name.endsWith("two ranks") && !name.includes("sinks"),
  );
  test.each(plans.map((each) => [each.name, each] as const))("%s", async (_, plan) => {
    const unfused = { ...plan, workload: { ...plan.workload, attention: "unfused" as const } };
    expect(await worstError(unfused)).toBeLessThan(1e-6);
    const kernels = lower(unfused).ranks.flatMap(({ instructions }) =>
      instructions.flatMap((each) => (each.op === "kernel" ? each.kernel : [])),
    );
    expect(kernels).not.toContain("attention");
    expect(kernels).toContain("softmax");
  });
});
