// Claims of scaling held against efficiencies that were found beside one GPU.

import { expect, test } from "vitest";
import { judgeClaims } from "../../src/claims/judge.ts";
import type { FoundScaling } from "../../src/claims/case.ts";
import type { Verdict } from "../../src/claims/verdict.ts";
import type { Figure } from "../../src/measure/figure.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { claiming, exclusive, measured, planOf, software } from "../support/given.ts";

const assuming = await planOf("three-stage-pipeline.json");
const pipeline: Plan = { ...assuming, assumed: [] };

function strong(low: number, high: number, more: Partial<FoundScaling> = {}, plan = pipeline) {
  const figure = measured((low + high) / 2, "share", [low, high]);
  return verdictOn(plan, { adapters: exclusive, strongScaling: figure, ...more });
}

function verdictOn(plan: Plan, scaling: FoundScaling): Verdict | undefined {
  const claimed = claiming(plan, { strongScaling: 0.9 });
  const [verdict] = judgeClaims({ plan: claimed, estimate: estimatePlan(claimed), scaling });
  return verdict;
}

test.each([
  ["confirmed", 0.9, 0.95],
  ["ambiguous", 0.89, 0.95],
  ["refuted", 0.8, 0.89],
])("a claim of 90 %% is %s by an interval of %d to %d", (judgement, low, high) => {
  expect(strong(low, high)).toMatchObject({ judgement, provenance: "measured" });
});

test("a pipeline's verdict says that T₁ took its micro-batches", () => {
  expect(strong(0.9, 0.95)?.reason).toContain("T₁ is of the plan's 4 micro-batches");
  const workload = { ...pipeline.workload, microBatches: 1 };
  expect(strong(0.9, 0.95, {}, { ...pipeline, workload })?.reason).not.toContain("micro-batches");
});

test("software adapters and assumed shapes leave it untestable, with what was found", () => {
  const onSoftware = strong(0.91, 0.95, { adapters: software });
  expect(onSoftware?.judgement).toBe("untestable");
  expect(onSoftware?.reason).toContain("software adapter");
  expect(onSoftware?.ratio).toBeCloseTo(0.93 / 0.9);
  expect(strong(0.91, 0.95, {}, assuming)?.reason).toContain("assumed");
});

test("GPUs that are not alike leave it untestable: one of them alone is no T₁ of the others", () => {
  const [first, ...others] = exclusive;
  const adapters = [{ ...first, name: "a slow GPU" }, ...others] as typeof exclusive;
  const verdict = strong(0.99, 1, { adapters });
  expect(verdict?.judgement).toBe("untestable");
  expect(verdict?.reason).toContain("T₁ is of a slow GPU alone");
});

test("a projection never confirms or refutes", () => {
  for (const [low, high] of [
    [0.95, 0.99],
    [0.1, 0.2],
  ] as const) {
    const figure: Figure = { ...measured(low, "share", [low, high]), provenance: "projected" };
    const verdict = strong(low, high, { strongScaling: figure });
    expect(verdict).toMatchObject({ judgement: "projected", provenance: "projected" });
  }
});

test("too few turns for an interval are ambiguous", () => {
  const verdict = verdictOn(pipeline, {
    adapters: exclusive,
    strongScaling: measured(0.95, "share"),
  });
  expect(verdict?.judgement).toBe("ambiguous");
});

test("without one GPU beside them, the claim says what one GPU would have to be", () => {
  const verdict = verdictOn(pipeline, { adapters: exclusive });
  expect(verdict?.judgement).toBe("untestable");
  expect(verdict?.needs.map(({ what }) => what)).toContain("T₁ ÷ T_N");
});
