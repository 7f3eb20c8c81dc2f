// Steps of training on real ranks: losses, gradients and updates are the reference's however the plan is split, and losses
// fall.

import { expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { runPlan } from "../../src/harness/run_plan.ts";
import { train } from "../../src/harness/train.ts";
import { adapterUnderTest, describeOnAdapter, describeOnOneAdapter } from "../support/gpu.ts";
import {
  dataSetPlan,
  expertTrainingPlan,
  overlappedTraining,
  recomputedTraining,
  sharedTrainingPlan,
  trainingPlan,
  trainingSplits,
  traitPlan,
} from "../support/training_plans.ts";

const adapter = adapterUnderTest();

function fullySharded(plan: Plan): Plan {
  const { degrees } = plan;
  if (degrees === undefined) throw new Error(`${plan.name} has no degrees`);
  return { ...plan, degrees: { ...degrees, zero: 3 } };
}

describeOnAdapter("training", () => {
  test.each(trainingSplits.filter((split) => !split.includes("GPipe")))(
    "%s: every gradient is right",
    async (split) => {
      const plan = trainingPlan(split, {
        tied: split.includes("1F1B") || split.includes("tensor"),
      });
      const { outcome, check, memory, estimate } = await runPlan(plan, {
        adapter,
        numericsOnly: true,
      });
      expect(outcome).toEqual({ state: "complete" });
      expect(check?.training?.error).toBeLessThan(5e-6);
      expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
        estimate.ranks.map(({ memoryBytes }) => memoryBytes),
      );
    },
  );

  test("a mixture of experts: every gradient is right", async () => {
    const plan = expertTrainingPlan("whole experts on two tensor ranks");
    const { outcome, check } = await runPlan(plan, { adapter, numericsOnly: true });
    expect(outcome).toEqual({ state: "complete" });
    expect(check?.training?.error).toBeLessThan(5e-6);
  });

  test("norms of heads, sinks and a shared head of keys in f16: every gradient is right", async () => {
    const trait = "norms of heads, sinks, a shared head of keys";
    const plan = traitPlan(trait, "two tensor ranks", { dtype: "f16" });
    const { outcome, check, memory, estimate } = await runPlan(plan, {
      adapter,
      numericsOnly: true,
    });
    expect(outcome).toEqual({ state: "complete" });
    expect(check?.training?.error).toBeLessThan(check?.training?.tolerance ?? 0);
    expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
      estimate.ranks.map(({ memoryBytes }) => memoryBytes),
    );
  });

  test("in f16, with weights in f32 beside them", async () => {
    const plan = trainingPlan("two data replicas", { dtype: "f16" });
    const { check } = await runPlan(plan, { adapter, numericsOnly: true });
    expect(check?.training?.error).toBeLessThan(check?.training?.tolerance ?? 0);
    expect(check?.training?.tolerance).toBeLessThan(0.1);
  });

  test("with communication beside computation", async () => {
    const { check } = await runPlan(overlappedTraining(), { adapter, numericsOnly: true });
    expect(check?.training?.error).toBeLessThan(5e-6);
  });

  test("with blocks that are computed again", async () => {
    const plan = recomputedTraining("full");
    const { check, estimate } = await runPlan(plan, { adapter, numericsOnly: true });
    expect(check?.training?.error).toBeLessThan(5e-6);
    expect(estimate.ranks.every(({ recomputed }) => (recomputed?.flops ?? 0) > 0)).toBe(true);
  });

  test("the unsharded run has the same gradients as the sharded one", async () => {
    const plan = trainingPlan("two tensor ranks");
    const { check } = await runPlan(plan, { adapter, numericsOnly: true, check: "unsharded" });
    expect(check?.method).toBe("unsharded+freivalds");
    expect(check?.training?.error).toBeLessThan(5e-6);
  });

  test.each(["two pipeline ranks, 1F1B", "two data replicas that share the optimizer's state"])(
    "%s: timed steps leave the checked one's bits, each from the first weights",
    async (split) => {
      const plan = trainingPlan(split);
      const { outcome, check } = await runPlan(plan, {
        adapter,
        samples: 3,
        warmup: 1,
        tune: false,
      });
      expect(outcome).toEqual({ state: "complete" });
      expect(check?.timed?.steps).toBeGreaterThanOrEqual(3);
    },
  );

  test.each([
    ["two replicas", 2, "f16"],
    ["two replicas, one ahead", 3, "f32"],
  ] as const)(
    "%s, ZeRO stage %i in %s: gradients, timed steps and memory",
    async (split, stage, dtype) => {
      const plan = sharedTrainingPlan(split, stage, dtype);
      const { outcome, check, memory, estimate } = await runPlan(plan, {
        adapter,
        samples: 3,
        warmup: 1,
        tune: false,
      });
      expect(outcome).toEqual({ state: "complete" });
      expect(check?.training?.error).toBeLessThan(check?.training?.tolerance ?? 0);
      expect(check?.timed?.steps).toBeGreaterThanOrEqual(3);
      expect(memory.map(({ allocatedBytes }) => allocatedBytes)).toEqual(
        estimate.ranks.map(({ memoryBytes }) => memoryBytes),
      );
    },
  );
});

describeOnOneAdapter("training, step after step,", () => {
  test("the loss falls in the same way however the plan is split, and in the same bits in two runs", async () => {
    const [one, again, split, shared] = [
      await train(trainingPlan("one rank"), 8, { adapter }),
      await train(trainingPlan("one rank"), 8, { adapter }),
      await train(trainingPlan("two tensor ranks"), 8, { adapter }),
      await train(fullySharded(trainingPlan("two data replicas")), 8, { adapter }),
    ];
    expect(again).toEqual(one);
    expect(one.at(-1)?.loss).toBeLessThan((one[0]?.loss ?? 0) - 0.02);
    for (const [i, { loss }] of one.entries()) {
      expect(Math.abs((split[i]?.loss ?? 0) - loss)).toBeLessThan(1e-4 * loss);
      expect(Math.abs((shared[i]?.loss ?? 0) - loss)).toBeLessThan(1e-4 * loss);
    }
  });

  test("a gradient that is not finite is named with its step, layer and rank", async () => {
    const plan = trainingPlan("two tensor ranks");
    const { optimizer, ...workload } = plan.workload;
    if (optimizer === undefined) throw new Error("the plan trains nothing");
    const wild = {
      ...plan,
      workload: { ...workload, optimizer: { ...optimizer, learningRate: 1e38 } },
    };
    await expect(train(wild, 3, { adapter })).rejects.toThrow(
      /^step 2: the loss is .*, the norm .*: the gradient of \S+ of \S+ is \S+ on ranks? \d/,
    );
  });

  test("batches of a data set are the same, read ahead by a thread or when they are needed", async () => {
    const [read, ahead] = [
      await train(dataSetPlan("two tensor ranks", false), 10, { adapter }),
      await train(dataSetPlan("two data replicas", true), 10, { adapter }),
    ];
    for (const [i, { loss }] of read.entries()) {
      expect(Math.abs((ahead[i]?.loss ?? 0) - loss)).toBeLessThan(1e-4 * loss);
    }
    // No batch was seen before.
    expect(read.at(-1)?.loss).toBeLessThan((read[0]?.loss ?? 0) - 0.1);
  });
});
