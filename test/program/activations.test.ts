// Networks with every activation, gated and not.

import { describe, expect, test } from "vitest";
import { activations, networkOf } from "../../src/plan/activation.ts";
import { activationFunctions, erf } from "../../src/reference/activations.ts";
import { linear, mlp, moe, plan } from "../support/plans.ts";
import { planOf } from "../support/written_plan.ts";
import { worstError } from "../support/worst_error.ts";

const both = [[0, 1]];

describe.each(activations)("%s", (activation) => {
  test.each([true, false])("in a network, gated: %s", async (gated) => {
    const network = mlp(7, 10, activation, both, { gated });
    expect(await worstError(plan("network", 2, [[network]]))).toBeLessThan(1e-6);
  });

  test("in experts, whole and sliced", async () => {
    const start = linear(6, 8, "replicated", both);
    const whole = moe(8, 3, 2, both, [0, 1], { activation, gated: true });
    expect(await worstError(plan("whole", 2, [[start, whole]]))).toBeLessThan(1e-6);
    const sliced = moe(8, 3, 2, both, [], { activation, gated: true, expertGroups: [[[0, 1]]] });
    expect(await worstError(plan("sliced", 2, [[start, sliced]]))).toBeLessThan(1e-6);
  });
});

test.each([
  ["gelu", 1, 0.841192],
  ["gelu-erf", 1, 0.8413447],
  ["quick-gelu", 1, 0.8457958],
  ["silu", 1, 0.7310586],
  ["relu2", 3, 9],
  ["relu2", -3, 0],
  ["clamped-silu", 9, 6.9999533],
  ["sigmoid", -1, 0.2689414],
] as const)("%s of %d is %d", (activation, x, expected) => {
  expect(activationFunctions(activation)(x)).toBeCloseTo(expected, 6);
});

test("the error function at points of its tables", () => {
  const table = [0.5204998778, 0.8427007929, 0.995322265, 0.9999779095];
  expect([0.5, 1, 2, 3].map(erf)).toEqual(table.map((value) => expect.closeTo(value, 9)));
  expect(erf(-1)).toBe(-erf(1));
});

test("a soft cap and a scale of logits", async () => {
  const head = { ...linear(6, 10, "column", both, "softcap"), cap: 0.7, scale: 0.25, bias: true };
  expect(await worstError(plan("head", 2, [[head]]))).toBeLessThan(1e-6);
});

test("a file says one of activation and gate, both or none", () => {
  expect(networkOf({})).toEqual({ activation: "gelu", gated: false });
  expect(networkOf({ gated: true })).toEqual({ activation: "silu", gated: true });
  expect(networkOf({ activation: "silu" })).toEqual({ activation: "silu", gated: true });
  expect(networkOf({ activation: "silu", gated: false }).gated).toBe(false);
  expect(networkOf({ activation: "gelu", gated: true }).activation).toBe("gelu");
});

test("a model says whether it is gated, whatever its activation", () => {
  const { stages } = planOf(`
name: relu
hardware: { gpus: 1 }
workload: { batch: 1 }
model: { layers: 1, hidden: 8, heads: 2, activation: relu2 }
parallel: {}
`);
  expect(stages[0]?.layers.find(({ op }) => op === "mlp")).toMatchObject({
    activation: "relu2",
    gated: false,
  });
});
