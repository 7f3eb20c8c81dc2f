import { describe, expect, test } from "vitest";
import { unshard } from "../../src/program/unshard.ts";
import { attentionPlans } from "../support/attention_plans.ts";
import { worstError } from "../support/worst_error.ts";

describe("attention gives what the reference gives", () => {
  test.each(attentionPlans().map((each) => [each.name, each] as const))("%s", async (_, plan) => {
    expect(await worstError(plan)).toBeLessThan(1e-6);
    expect(await worstError(unshard(plan))).toBeLessThan(1e-6);
  });
});
