// The plans that an ablation runs: each differs from the plan in what its techniques change, and in nothing else.

import { expect, test } from "vitest";
import { ablationVariants } from "../../src/harness/ablation_variants.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { knownOptimizations } from "../../src/plan/optimizations.ts";
import { estimate } from "../../src/program/estimate.ts";
import {
  expertTrainingPlan,
  recomputedTraining,
  sharedTrainingPlan,
  trainingPlan,
} from "../support/training_plans.ts";

const named = (plan: Plan, ...optimizations: string[]): Plan => ({ ...plan, optimizations });

function statesOf(plan: Plan): Record<string, unknown> {
  return Object.fromEntries(
    ablationVariants(plan).singles.map((single) => [
      single.technique,
      "variant" in single ? single.variant.plan.workload : "why" in single ? single.why : "same",
    ]),
  );
}

test("each technique is what it changes of the workload", () => {
  const plan = trainingPlan("two tensor ranks", { dtype: "f16" });
  const recompute = { granularity: "selective" } as const;
  const whole = { ...plan, workload: { ...plan.workload, recompute } };
  const { workload } = whole;
  const { recompute: _, ...kept } = workload;
  expect(
    statesOf(named(whole, "gradient-accumulation", "mixed-precision", "activation-checkpointing")),
  ).toEqual({
    "gradient-accumulation": { ...workload, microBatches: 1 },
    "mixed-precision": { ...workload, dtype: "f32" },
    "activation-checkpointing": kept,
  });
});

test("overlap of rows too few to leave in windows is the same program", () => {
  expect(statesOf(named(trainingPlan("two tensor ranks"), "communication-overlap"))).toEqual({
    "communication-overlap": "same",
  });
});

test("what cannot be switched says why", () => {
  const inference = { ...trainingPlan("one rank").workload, mode: "inference" as const };
  const { optimizer: _, ...workload } = inference;
  const plan = { ...trainingPlan("one rank"), workload };
  expect(statesOf(named(plan, ...knownOptimizations, "warp-drive"))).toMatchObject({
    "fused-attention": { attention: "unfused" },
    "activation-checkpointing": "without an optimizer there is no backward pass",
    "gradient-accumulation": "without an optimizer nothing adds up",
    "mixed-precision": "the workload's dtype is f32 throughout",
    "warp-drive": "nothing here knows that name",
  });
});

test("what replicas share out is a technique, too", () => {
  const plan = sharedTrainingPlan("two groups of two replicas", 3);
  const [single, ...others] = ablationVariants(plan).singles;
  expect(others).toEqual([]);
  if (single === undefined || !("variant" in single)) throw new Error("it cannot be switched off");
  expect(single.technique).toBe("zero");
  const { degrees } = single.variant.plan;
  expect(degrees).not.toHaveProperty("zero");
  expect(degrees).not.toHaveProperty("dataShard");
  expect(ablationVariants(sharedTrainingPlan("two replicas", 0)).singles).toEqual([]);
});

test("accumulation that also fills a pipeline is no switch", () => {
  const plan = named(trainingPlan("two pipeline ranks, 1F1B"), "gradient-accumulation");
  expect(statesOf(plan)["gradient-accumulation"]).toContain("fill the pipeline");
});

test.each([
  ["", { microBatches: 1 }],
  [", zLossCoeff: 1", { microBatches: 1 }],
  [", auxLossCoeff: 1", "routers are balanced over each micro-batch by itself"],
  [", capacityFactor: 1", "experts drop tokens by those of each micro-batch"],
])("accumulation with experts%s", (moe, state) => {
  const plan = named(expertTrainingPlan("one rank", { moe }), "gradient-accumulation");
  expect(statesOf(plan)).toMatchObject({ "gradient-accumulation": state });
});

test("pairs are of those that make a difference, and lack both", () => {
  const plan = named(
    recomputedTraining("full"),
    "activation-checkpointing",
    "warp-drive",
    "gradient-accumulation",
    "communication-overlap",
  );
  expect(ablationVariants(plan).pairs).toEqual([]);
  const tensor = named(
    trainingPlan("two tensor ranks", { dtype: "f16" }),
    "mixed-precision",
    "gradient-accumulation",
  );
  const { pairs } = ablationVariants(tensor);
  expect(pairs.map(({ pair }) => pair)).toEqual([["mixed-precision", "gradient-accumulation"]]);
  const [both] = pairs;
  expect(both).toMatchObject({
    variant: { plan: { workload: { microBatches: 1, dtype: "f32" } } },
  });
});

test("checkpointing is what makes the activations small", () => {
  const plan = named(recomputedTraining("full"), "activation-checkpointing");
  const { asItIs, singles } = ablationVariants(plan);
  const [single] = singles;
  if (single === undefined || !("variant" in single)) throw new Error("not switched");
  const bytes = [asItIs, single.variant].map(
    ({ program, plan: own }) => estimate(program, own).ranks[0]?.memoryByRole.activation ?? 0,
  );
  expect(bytes[0]).toBeLessThan(bytes[1] ?? 0);
});
