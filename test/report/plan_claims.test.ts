import { expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { estimate } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import { linear, plan as planWith } from "../support/plans.ts";
import { claiming, planOf, verdictOn } from "./given.ts";

const moe = await planOf("moe-ep3-tp2.json");

const fullest = (plan: Plan): number =>
  Math.max(...estimate(lower(plan), plan).ranks.map(({ memoryBytes }) => memoryBytes));

test("every claim of the mixture of experts that holds on any machine is decided without a run", () => {
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
    memoryAvailable: "confirmed",
    memoryArithmetic: "confirmed",
    expertsPerGpu: "confirmed",
    expertVariance: "confirmed",
    tensorGroupSize: "confirmed",
  });
});

test.each([
  ["confirmed", 21],
  ["refuted", 20],
  ["refuted", 22],
])("%s: %i experts per GPU, with 63 over 3", (judgement, expertsPerGpu) => {
  expect(verdictOn(claiming(moe, { expertsPerGpu }), "expertsPerGpu")?.judgement).toBe(judgement);
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

test.each([
  ["confirmed", 1],
  ["confirmed", 0.96],
  ["refuted", 0.9],
  ["refuted", 1.1],
])("a memory share is %s at %d of what the program allocates", (judgement, part) => {
  const memoryPerGpu = 2 * fullest(moe);
  const plan = {
    ...claiming(moe, { memoryUtilization: 0.5 * part }),
    hardware: { gpus: 3, memoryPerGpu },
  };
  expect(verdictOn(plan, "memoryUtilization")?.judgement).toBe(judgement);
});

test.each([
  ["confirmed", 0],
  ["refuted", 1],
])("memory left is %s when %i bytes more are claimed than are left", (judgement, more) => {
  const memoryPerGpu = 2 * fullest(moe);
  const plan = {
    ...claiming(moe, { memoryAvailable: memoryPerGpu / 2 + more }),
    hardware: { gpus: 3, memoryPerGpu },
  };
  expect(verdictOn(plan, "memoryAvailable")?.judgement).toBe(judgement);
});

test.each([
  ["memoryUtilization", "untestable", 0.5],
  ["memoryUtilization", "untestable", 0.6],
  ["memoryUtilization", "refuted", 0.4],
  ["memoryAvailable", "untestable", 0.5],
  ["memoryAvailable", "refuted", 0.6],
])(
  "%s of training is %s at %d, where a forward pass fills half of the memory",
  (claim, judgement, part) => {
    const memoryPerGpu = 2 * fullest(moe);
    const value = claim === "memoryAvailable" ? part * memoryPerGpu : part;
    const plan: Plan = {
      ...claiming(moe, { [claim]: value }),
      hardware: { gpus: 3, memoryPerGpu },
      workload: { ...moe.workload, mode: "training" },
    };
    expect(verdictOn(plan, claim)).toMatchObject({ judgement, found: { provenance: "estimated" } });
  },
);

test("a verdict on memory names the dimensions that the plan only assumes", () => {
  const verdict = verdictOn(moe, "memoryUtilization");
  expect(verdict?.reason).toContain("model.hidden");
  expect(verdict?.found?.conditions.join()).toContain("model.moe.ffn");
  expect(verdict?.provenance).toBe("estimated");
});

test("without a memory size a share of it is untestable", () => {
  const plan = { ...claiming(moe, { memoryUtilization: 0.5 }), hardware: { gpus: 3 } };
  expect(verdictOn(plan, "memoryUtilization")?.judgement).toBe("untestable");
});
