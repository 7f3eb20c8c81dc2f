// No result is overwritten before it is read for the last time, and no dispatch binds what WebGPU refuses.

import { readdirSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readPlan } from "../../../src/plan/load.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { lower } from "../../../src/program/lower.ts";
import { arbitraryDegrees } from "../../support/arbitrary_degrees.ts";
import { arbitraryPlan } from "../../support/arbitrary_plan.ts";
import { memoryHazards } from "../../support/memory_hazards.ts";
import {
  expertTrainingPlan,
  expertTrainingSplits,
  overlappedTraining,
  recomputedTraining,
  trainingPlan,
  trainingSplits,
} from "../../support/training_plans.ts";

const files = ["configs", "configs/smoke"].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.(json|yaml)$/.test(name) && !/schema|original/.test(name))
    .map((name) => `${folder}/${name}`),
);

test.each(files)("%s", async (file) => {
  const { plan } = await readPlan(file);
  if (plan === undefined) throw new Error(`${file} is no plan`);
  expect(memoryHazards(lower(plan))).toEqual([]);
});

function unfused(plan: Plan): Plan {
  return { ...plan, workload: { ...plan.workload, attention: "unfused" } };
}

function recomputed(plan: Plan): Plan {
  const recompute = { granularity: "full", method: "uniform", layers: 1 } as const;
  return { ...plan, workload: { ...plan.workload, recompute } };
}

test.each([
  ...trainingSplits.map((split) => [split, trainingPlan(split)] as const),
  ...expertTrainingSplits.map(
    (split) =>
      [
        `experts, ${split}`,
        expertTrainingPlan(split, {
          moe: ", sharedFfn: 8, capacityFactor: 0.75, auxLossCoeff: 1, zLossCoeff: 1",
        }),
      ] as const,
  ),
  ["overlapped", overlappedTraining()],
  ["blocks again", recomputedTraining("full")],
  ["attention again", recomputedTraining("selective")],
  ["unfused attention", unfused(trainingPlan("two pipeline ranks, 1F1B"))],
  ["unfused attention again", unfused(recomputedTraining("selective"))],
  ["experts again", recomputed(expertTrainingPlan("two pipeline ranks of two"))],
] as const)("training: %s", (_name, plan) => {
  expect(memoryHazards(lower(plan))).toEqual([]);
});

test.each([
  ["degrees", arbitraryDegrees({ maxContext: 1 })],
  ["stages", arbitraryPlan()],
] as const)("random plans of %s", (_name, plans: fc.Arbitrary<Plan>) => {
  fc.assert(
    fc.property(plans, (plan) => {
      expect(memoryHazards(lower(plan))).toEqual([]);
    }),
    { numRuns: 25 },
  );
});
