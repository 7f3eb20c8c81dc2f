import { expect, test } from "vitest";
import { linear, moe as moeLayer, plan as planWith } from "../support/plans.ts";
import { claiming, planOf, verdictOn } from "../support/given.ts";

const moe = await planOf("moe-ep3-tp2.json");

test("claims of the mixture of experts are decided without a run where nothing is assumed for them", () => {
  const judgements = [
    "tokenArithmetic",
    "memoryAvailable",
    "memoryArithmetic",
    "expertsPerGpu",
    "expertVariance",
    "tensorGroupSize",
  ].map((claim) => [claim, verdictOn(moe, claim)?.judgement]);
  expect(Object.fromEntries(judgements)).toEqual({
    tokenArithmetic: "confirmed",
    // Hidden size and layers are assumed.
    memoryAvailable: "untestable",
    memoryArithmetic: "confirmed",
    expertsPerGpu: "confirmed",
    expertVariance: "confirmed",
    tensorGroupSize: "confirmed",
  });
});

test.each([
  ["confirmed", 21],
  ["refuted", 20],
  // An engine that serves it may place copies.
  ["untestable", 22],
])("%s: %i experts per GPU, with 63 over 3", (judgement, expertsPerGpu) => {
  expect(verdictOn(claiming(moe, { expertsPerGpu }), "expertsPerGpu")?.judgement).toBe(judgement);
});

test("explicit stages name every expert's GPU: nothing more is there", () => {
  const experts = planWith("experts", 3, [[moeLayer(8, 63, 1, [[0, 1]], [0, 1, 2])]]);
  const judged = [20, 21, 22].map(
    (expertsPerGpu) => verdictOn(claiming(experts, { expertsPerGpu }), "expertsPerGpu")?.judgement,
  );
  expect(judged).toEqual(["refuted", "confirmed", "refuted"]);
});

test("a claimed variance is refuted by an even split", () => {
  const plan = claiming(moe, { expertVariance: 2 });
  expect(verdictOn(plan, "expertVariance")).toMatchObject({
    judgement: "refuted",
    found: { value: 0 },
  });
});

test("claims about experts are untestable without experts", () => {
  const plan = claiming(planWith("dense", 1, [[linear(4, 4, "replicated", [[0]])]]), {
    expertsPerGpu: 4,
  });
  expect(verdictOn(plan, "expertsPerGpu")?.judgement).toBe("untestable");
});

test("a tensor group of three refutes a claim of two, and the reason shows the sizes", () => {
  const groups = [[linear(12, 12, "column", [[0, 1, 2]])], [linear(12, 12, "row", [[0, 1]])]];
  const plan = claiming(planWith("uneven", 3, groups), { tensorGroupSize: 2 });
  expect(verdictOn(plan, "tensorGroupSize")).toMatchObject({
    judgement: "refuted",
    found: { value: 3 },
    reason: expect.stringContaining("3, 2"),
  });
});

test.each([
  ["confirmed", 319_488],
  ["confirmed", 319_500],
  ["refuted", 325_000],
])("%s: %i tokens/s from 312 samples/s of 1024 tokens", (judgement, tokensPerSecond) => {
  const plan = claiming(moe, { samplesPerSecond: 312, tokensPerSecond });
  expect(verdictOn(plan, "tokenArithmetic")?.judgement).toBe(judgement);
});

test("one of two related claims alone has no arithmetic to check", () => {
  const plan = claiming(moe, { tokensPerSecond: 1 });
  expect(verdictOn(plan, "tokenArithmetic")).toBeUndefined();
});

test("a verdict on memory names the dimensions that the plan only assumes", () => {
  const verdict = verdictOn(moe, "memoryUtilization");
  expect(verdict?.judgement).toBe("untestable");
  expect(verdict?.reason).toContain("assumed: workload.mode, workload.batch");
  expect(verdict?.leansOn).toContain("model.hidden");
  expect(verdict?.found?.conditions.join()).toContain("model.moe.ffn");
  expect(verdict?.provenance).toBe("estimated");
});
