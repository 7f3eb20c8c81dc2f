// Steps of training on the host, in f64: gradients of all weights are those of the reference however a plan is split.

import { describe, expect, test } from "vitest";
import { optimizerOf } from "../../src/plan/optimizer.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { linear, plan as explicitPlan } from "../support/plans.ts";
import { faultsOf } from "../support/training_faults.ts";
import {
  expertTrainingPlan,
  expertTrainingSplits,
  trainedTraits,
  traitPlan,
} from "../support/training_plans.ts";

describe("a block of attention", () => {
  const cases = Object.entries(trainedTraits).flatMap(([trait, { splits }]) =>
    splits.map((split) => ({ trait, split })),
  );
  test.each(cases)("$trait: $split", async ({ trait, split }) => {
    expect(await faultsOf(traitPlan(trait, split))).toEqual([]);
  });
});

describe("means of sequences and of batches", () => {
  const trained: Partial<Plan["workload"]> = {
    mode: "training",
    batch: 6,
    microBatches: 1,
    optimizer: optimizerOf({ name: "sgd", clipNorm: 1 }, "f32", 6),
  };
  const means = (over: "sequence" | "batch", before: number[][], groups: number[][]): Plan =>
    explicitPlan(
      "means",
      4,
      [
        [linear(6, 8, "row", before), { op: "aggregate", over, groups }],
        [linear(8, 4, "column", over === "batch" ? groups.slice(0, 1) : groups)],
      ],
      { workload: trained },
    );
  test.each([
    ["on one rank", "sequence", [[0]], [[0]]],
    ["of columns that are divided", "sequence", [[0, 1]], [[2, 3]]],
    ["of summands where they lie", "sequence", [[0, 1]], [[0, 1]]],
    ["of replicas, each of its own sequences", "sequence", [[0], [1]], [[0], [1]]],
    ["of replicas, over all of them", "batch", [[0, 1]], [[0], [2], [3]]],
  ] as const)("%s", async (_, over, before, groups) => {
    const asGroups = (given: readonly (readonly number[])[]) => given.map((ranks) => [...ranks]);
    expect(await faultsOf(means(over, asGroups(before), asGroups(groups)))).toEqual([]);
  });
});

describe("a mixture of experts", () => {
  test.each(expertTrainingSplits)("%s", async (split) => {
    expect(await faultsOf(expertTrainingPlan(split))).toEqual([]);
  });

  const rules = {
    "weights of all, not of the chosen": ", renormalise: false",
    "corrected sigmoids of the best groups, scaled":
      ", scoring: sigmoid, routingBias: true, routedScale: 2.5, renormalise: true, groupLimit: { groups: 2, topGroups: 1, scoredBy: two-best }",
    "experts that read their share": ", weighsInput: true, scoring: sigmoid",
    "a capacity that drops tokens": ", capacityFactor: 0.75",
    "losses of the router": ", auxLossCoeff: 3, zLossCoeff: 2",
    "losses of a router of sigmoids": ", scoring: sigmoid, auxLossCoeff: 3, zLossCoeff: 2",
    "shared experts": ", sharedFfn: 8",
    "shared experts with a gate": ", sharedFfn: 8, sharedGate: true",
  };
  const few = ["whole experts on two tensor ranks", "slices of experts"];
  test.each(
    Object.entries(rules).flatMap(([rule, moe]) => few.map((split) => ({ rule, moe, split }))),
  )("$rule: $split", async ({ moe, split }) => {
    expect(await faultsOf(expertTrainingPlan(split, { moe }))).toEqual([]);
  });

  test("a router's losses are of all tokens of a micro-batch, also those of other replicas", async () => {
    const moe = rules["losses of the router"];
    const plan = expertTrainingPlan("slices, whole experts and replicas", { moe });
    expect(await faultsOf(plan)).toEqual([]);
  });

  test.each(few)("biases of experts and routers, clamped gates: %s", async (split) => {
    const model = ", activation: clamped-silu, biases: [experts, router]";
    expect(await faultsOf(expertTrainingPlan(split, { model }))).toEqual([]);
  });
});
