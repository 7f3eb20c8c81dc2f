// The backward pass of a plan's ops: which collectives it has, what is summed where, and what has no gradient.

import { expect, test } from "vitest";
import type { Op } from "../../../src/program/op.ts";
import { trainingOps } from "../../../src/program/passes/passes.ts";
import { planOps } from "../../../src/program/plan_ops.ts";
import { estimate, estimatePlan } from "../../../src/program/estimate.ts";
import { lower } from "../../../src/program/lower.ts";
import { whyNotTrained } from "../../../src/program/trained.ts";
import { optimizerOf } from "../../../src/plan/optimizer.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import {
  expertTrainingPlan,
  expertTrainingSplits,
  trainingPlan,
  trainingSplits,
  traitPlan,
} from "../../support/training_plans.ts";
import { plan as explicitPlan } from "../../support/plans.ts";
import { planOf } from "../../support/written_plan.ts";

function opsOf(plan: Plan) {
  const { optimizer, dtype } = plan.workload;
  if (optimizer === undefined) throw new Error("no optimizer");
  return trainingOps(planOps(plan).ops, optimizer, dtype);
}

function collectives(ops: readonly Op[]): string[] {
  return ops.flatMap((op) => (op.op === "collective" ? op.amount.kind : []));
}

test("column-parallel products are followed by one sum of their inputs' gradients, as in Megatron-LM", () => {
  const { backward } = opsOf(trainingPlan("two tensor ranks"));
  // Of each block queries, keys and values, and the network behind them; the head.
  expect(collectives(backward)).toEqual(Array.from({ length: 5 }, () => "all-reduce"));
});

test("with sequence parallelism sums are reduce-scatters, and gathered rows come again", () => {
  const { backward, once } = opsOf(trainingPlan("two tensor ranks, sequence parallel"));
  const found = collectives(backward);
  expect(found.filter((kind) => kind === "reduce-scatter")).toHaveLength(5);
  expect(found.filter((kind) => kind === "all-reduce")).toHaveLength(0);
  // Gains see the tokens of one rank; squares are of all ranks.
  expect(collectives(once)).toHaveLength(5 + 1);
});

test("replicas sum the gradient of every weight, and no rank alone sums anything", () => {
  const alone = opsOf(trainingPlan("one rank"));
  expect(collectives([...alone.backward, ...alone.once])).toEqual([]);
  const { once } = opsOf(trainingPlan("two data replicas"));
  const weights = once.filter(({ op, ranks }) => op === "update-weight" && ranks.includes(0));
  expect(collectives(once)).toHaveLength(weights.length + 1);
});

test("a tied table has one gradient on a rank, and one sum over pipeline ranks", () => {
  const one = opsOf(trainingPlan("one rank", { tied: true }));
  const updates = one.once.flatMap((op) => (op.op === "update-weight" ? op.weight.name : []));
  expect(new Set(updates).size).toBe(updates.length);
  const two = opsOf(trainingPlan("two pipeline ranks, 1F1B", { tied: true }));
  expect(collectives(two.once)).toHaveLength(2);
});

test("every weight is updated once on every rank that holds it", () => {
  const plans = [
    ...trainingSplits.map((split) => trainingPlan(split)),
    ...expertTrainingSplits.map((split) => expertTrainingPlan(split)),
  ];
  for (const plan of plans) {
    const { once } = opsOf(plan);
    for (const { rank, buffers } of lower(plan).ranks) {
      const weights = buffers.filter(({ role }) => role === "weight").map(({ id }) => id);
      const moved = once.flatMap((op) =>
        op.op === "update-weight" && op.ranks.includes(rank) ? op.weight.name : [],
      );
      expect(moved.toSorted()).toEqual(weights.toSorted());
    }
  }
});

test.each([
  ...trainingSplits.map((split) => ({ split, planWith: trainingPlan })),
  ...expertTrainingSplits.map((split) => ({ split, planWith: expertTrainingPlan })),
])("$split: a run allocates what is estimated", ({ split, planWith }) => {
  for (const dtype of ["f32", "f16"]) {
    const plan = planWith(split, { dtype });
    const program = lower(plan);
    const counted = estimate(program, plan);
    const foreseen = estimatePlan(plan);
    expect(foreseen.ranks.map(({ memoryBytes }) => memoryBytes)).toEqual(
      counted.ranks.map(({ memoryBytes }) => memoryBytes),
    );
    expect(foreseen.ranks.map(({ flops }) => Math.round(flops))).toEqual(
      counted.ranks.map(({ flops }) => Math.round(flops)),
    );
    expect(foreseen.ranks.map(({ sentBytes }) => Math.round(sentBytes))).toEqual(
      counted.ranks.map(({ sentBytes }) => Math.round(sentBytes)),
    );
  }
});

test("a step's FLOPs are three times those of its forward pass, without the scores that come again", () => {
  const plan = trainingPlan("one rank");
  const { optimizer: _, ...workload } = plan.workload;
  const forward = estimatePlan({ ...plan, workload }).modelFlops;
  const ratio = estimatePlan(plan).modelFlops / forward;
  // Norms and activations have other ratios.
  expect(ratio).toBeGreaterThan(2.8);
  expect(ratio).toBeLessThan(3.2);
});

test("replicas of an expert alone sum the gradients of its weights", () => {
  const { once } = opsOf(expertTrainingPlan("slices, whole experts and replicas"));
  const sums = once.flatMap((op) =>
    op.op === "collective" && op.x.tensor.name.includes("experts/down") ? [op.from] : [],
  );
  expect(sums.toSorted(([a = 0], [b = 0]) => a - b)).toEqual([
    [0, 4],
    [1, 5],
    [2, 6],
    [3, 7],
  ]);
});

test("matrices decay, however few rows of them a rank has, and vectors do not", () => {
  const biased = expertTrainingPlan("slices of experts", {
    model: ", activation: clamped-silu, biases: [experts, router]",
  });
  const ofOneRow = planOf(`
name: one row
hardware: { gpus: 2 }
workload: { mode: training, batch: 4, sequence: 6, optimizer: { name: sgd } }
model: { layers: 1, hidden: 16, heads: 4, ffn: 2, vocabulary: 20 }
parallel: { tensor: 2 }
`);
  for (const plan of [biased, ofOneRow]) {
    const moved = opsOf(plan).once.flatMap((op) => (op.op === "update-weight" ? op : []));
    expect(moved.length).toBeGreaterThan(6);
    for (const { weight, decays } of moved) {
      const isVector = /bias|norm\/weight|gain/.test(weight.name);
      expect([weight.name, decays]).toEqual([weight.name, !isVector]);
    }
  }
});

test("what has no gradient is named, and the plan is still counted", () => {
  const linear = planOf(`
name: linear attention
hardware: { gpus: 2 }
workload: { mode: training, batch: 4, sequence: 6, optimizer: { name: sgd } }
model:
  { layers: 1, hidden: 16, heads: 4, ffn: 24,
    gatedDelta: { layers: [0], keyHeads: 4, valueHeads: 4, keyDim: 8, valueDim: 8, kernel: 3 } }
parallel: { tensor: 2 }
`);
  expect(whyNotTrained(linear)).toMatch(/gated-delta/);
  expect(estimatePlan(linear).ranks).toHaveLength(2);
  expect(whyNotTrained(trainingPlan("one rank"))).toBeUndefined();
});

test("replicas that divide heads in different ways share no columns alike, and train nothing", () => {
  const layer = {
    op: "attention",
    hidden: 16,
    heads: 4,
    kvHeads: 2,
    headDim: 4,
    causal: true,
  } as const;
  const unequal = explicitPlan(
    "unequal",
    6,
    [
      [
        {
          ...layer,
          groups: [
            [0, 1, 2, 3],
            [4, 5],
          ],
        },
      ],
    ],
    {
      workload: { mode: "training", optimizer: optimizerOf({ name: "sgd" }, "f32", 12) },
    },
  );
  expect(whyNotTrained(unequal)).toMatch(/overlapping parts/);
});

test("columns that ranks share are summed once, and counted by the first of them", () => {
  const { once } = opsOf(traitPlan("one head of keys, with biases", "four tensor ranks"));
  const taken = once.flatMap((op) => (op.op === "take-columns" ? [[op.x.name, op.ranks]] : []));
  expect(taken).toEqual([
    ["blocks/2.attention/qkv/weight/gradient", [0, 1, 2, 3]],
    ["blocks/2.attention/qkv/bias/gradient", [0, 1, 2, 3]],
  ]);
  const counted = once.flatMap((op) =>
    op.op === "sum-squares" && op.x.name.includes("qkv/weight") ? [[op.ranks, op.columns]] : [],
  );
  expect(counted).toEqual([
    [[0], undefined],
    [[1, 2, 3], 8],
  ]);
});
