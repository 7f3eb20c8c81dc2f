// ZeRO on the host, in f64: whatever replicas share out, a step has the gradients of the reference, and the steps after it
// go on from weights that are moved and gathered as if nothing were shared out.

import { describe, expect, test } from "vitest";
import { compareGradients, notShown, shownUpdate } from "../../src/harness/gradients.ts";
import { lossShown } from "../../src/harness/verify_training.ts";
import { squareSums } from "../../src/kernels/sum_squares.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { lower } from "../../src/program/lower.ts";
import type { Program } from "../../src/program/program.ts";
import { referenceGradients } from "../../src/reference/gradients.ts";
import { globalNorm } from "../../src/reference/optimizers.ts";
import type { ObservedBuffer } from "../../src/runtime/observation.ts";
import { interpretSteps, type Observed } from "../support/interpret.ts";
import { planOf } from "../support/written_plan.ts";
import { sharedTrainingPlan, sharedTrainingSplits } from "../support/training_plans.ts";

const stages = [1, 2, 3] as const;

function asShown(observed: readonly Observed[]): ObservedBuffer[] {
  return observed.map(({ layer, microBatch, observation, data }) => ({
    layer,
    microBatch,
    observation,
    bytes: new Uint8Array(Float32Array.from(data).buffer),
  }));
}

function stepsOf(program: Program, count: number): ObservedBuffer[][] {
  return interpretSteps(program, Array.from({ length: count })).map(asShown);
}

function lossesOf(plan: Plan, steps: readonly (readonly ObservedBuffer[])[]): number[] {
  return steps.map((observed) => lossShown(plan, lower(plan), observed));
}

describe.each(sharedTrainingSplits)("%s", (split) => {
  const whole = sharedTrainingPlan(split, 0);
  const expected = lossesOf(whole, stepsOf(lower(whole), 2));
  const reference = referenceGradients(whole);

  test.each(stages)(
    "stage %i: gradients are the reference's, and so are the steps after",
    async (stage) => {
      const plan = sharedTrainingPlan(split, stage);
      const steps = stepsOf(lower(plan), 2);
      const { gradients } = await reference;
      const [first = []] = steps;
      expect(notShown(first, gradients)).toBeUndefined();
      expect(compareGradients(first, gradients, 1).error).toBeLessThan(2e-6);
      // Each element counts once: AdamW's steps hardly show what gradients were multiplied by.
      const norm = globalNorm([...gradients.values()].map(({ data }) => data));
      const { gradientNorm = Number.NaN } = shownUpdate(first) ?? {};
      expect(gradientNorm / norm).toBeCloseTo(1, 5);
      for (const [i, loss] of lossesOf(plan, steps).entries()) {
        expect(loss).toBeCloseTo(expected[i] ?? Number.NaN, 6);
      }
    },
  );
});

describe("what a step of one micro-batch moves", () => {
  /** Every weight is read in both passes. */
  const vectors = (zero: number, more = ""): Plan =>
    planOf(`
name: vectors
hardware: { gpus: 4 }
workload: { mode: training, batch: 4, sequence: 4, optimizer: { name: sgd } }
model: { layers: 2, hidden: 16, heads: 2, ffn: 32, norm: rms }
parallel: { data: 4, zero: ${zero}${more} }
`);
  // Few bytes are summed by sending them to all.
  const squares = 4 * 3 * 4 * squareSums;

  // Of S bytes of gradients or weights a reduce-scatter or an all-gather over four ranks moves 3 S, an all-reduce, as a
  // ring, 6 S; within two groups of two each of them moves 2 S, and the sums of each half between the groups S.
  test.each([
    [1, "", 6],
    [2, "", 6],
    [3, "", 9],
    [3, ", dataShard: 2", 8],
    [1, ", dataShard: 2", 6],
  ])("stage %i%s", (zero, more, times) => {
    const { ranks, parameters } = estimatePlan(vectors(zero, more));
    const moved = ranks.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0);
    expect(moved - squares).toBe(times * 4 * parameters.inProgram);
  });
});
