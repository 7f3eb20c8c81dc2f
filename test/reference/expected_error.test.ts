import { describe, expect, test } from "vitest";
import { expectedError } from "../../src/reference/expected_error.ts";
import { relativeError } from "../../src/harness/relative_error.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { roundToHalf } from "../../src/program/content_values.ts";
import { forward } from "../../src/reference/forward.ts";
import { deepPlan, linear, plan } from "../support/plans.ts";

function inType(given: Plan, dtype: "f32" | "f16"): Plan {
  return {
    ...given,
    workload: { ...given.workload, dtype },
  };
}

describe.each(["f32", "f16"] as const)("what is accepted in %s", (dtype) => {
  const deep = inType(deepPlan(200), dtype);

  test("grows with the depth, as a root and not as a power", () => {
    const [shallow, middle, whole] = [2, 20, 200].map(
      (layers) => expectedError(inType(deepPlan(layers), dtype)).result,
    ) as [number, number, number];
    expect(middle).toBeGreaterThan(shallow);
    expect(whole).toBeGreaterThan(middle);
    expect(whole / middle).toBeLessThan(Math.sqrt(10) * 1.5);
  });

  test("is less than what one lost row among 200 layers makes", async () => {
    const { output } = await forward(deep, 0, new Map());
    const lost = output.data.slice();
    lost.fill(0, output.columns, 2 * output.columns);
    expect(relativeError(lost, output.data)).toBeGreaterThan(2 * expectedError(deep).result);
  });
});

test("it is more than what rounding to halves makes of a product", async () => {
  const small = inType(plan("one product", 1, [[linear(64, 32, "replicated", [[0]])]]), "f16");
  const { output } = await forward(small, 0, new Map());
  const error = relativeError(output.data.map(roundToHalf), output.data);
  expect(error).toBeGreaterThan(0);
  expect(error).toBeLessThan(expectedError(small).result);
  expect(20 * error).toBeGreaterThan(expectedError(small).result);
});

test("it never reaches what a result of zeros makes", () => {
  const gates = Array.from({ length: 60 }, () => ({
    op: "mlp" as const,
    hidden: 8,
    ffn: 8,
    activation: "silu" as const,
    gated: true,
    groups: [[0]],
  }));
  expect(expectedError(inType(plan("gates", 1, [gates]), "f16")).result).toBeLessThanOrEqual(0.5);
});
