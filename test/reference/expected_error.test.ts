import { describe, expect, test } from "vitest";
import { expectedError } from "../../src/reference/expected_error.ts";
import { relativeError } from "../../src/harness/relative_error.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { roundToHalf } from "../../src/program/content_values.ts";
import { forward } from "../../src/reference/forward.ts";
import { assembleOutputs, assembleRoutes } from "../../src/harness/assemble.ts";
import { lower } from "../../src/program/lower.ts";
import { interpret } from "../support/interpret.ts";
import { attentionPlans } from "../support/attention_plans.ts";
import { deepPlan, linear, plan, plans } from "../support/plans.ts";
import { shownBuffers } from "../support/shown_buffers.ts";
import { variantPlan, variants } from "../support/variant_plans.ts";

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

/** Largest relative error of a run that stores every number as a half. */
async function errorInHalves(given: Plan): Promise<number> {
  const program = lower(inType(given, "f32"));
  const observed = shownBuffers(interpret(program, roundToHalf));
  let error = 0;
  for (let microBatch = 0; microBatch < program.microBatches; microBatch++) {
    const routes = assembleRoutes(program, observed, microBatch);
    const { output } = await forward(given, microBatch, routes);
    for (const actual of assembleOutputs(program, observed, microBatch)) {
      error = Math.max(error, relativeError(actual.data, output.data));
    }
  }
  return error;
}

const small = [...variants.map((variant) => variantPlan(variant)), ...attentionPlans(), ...plans];

test.each(small.map((each) => [each.name, inType(each, "f16")] as const))(
  "what is accepted is more than what halves make of it, and not much more: %s",
  async (_, given) => {
    const accepted = expectedError(given).result;
    const error = await errorInHalves(given);
    expect(error).toBeLessThan(accepted / 2);
    expect(error).toBeGreaterThan(accepted / 30);
    expect(expectedError(inType(given, "f32")).result).toBeLessThan(1e-4);
  },
);
