import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { partsOf } from "../../src/program/content_values.ts";
import { lower } from "../../src/program/lower.ts";
import { referenceGradients } from "../../src/reference/gradients.ts";
import { attentionPlans } from "../support/attention_plans.ts";
import { biasedPlans } from "../support/biased_plans.ts";
import { drawn } from "../support/drawn.ts";
import { plans } from "../support/plans.ts";
import { expertTrainingPlan } from "../support/training_plans.ts";
import { slopeAlong } from "../support/slope.ts";
import { tiedPlans } from "../support/tied_plans.ts";
import { variantPlan, variants } from "../support/variant_plans.ts";

/** The reference knows no ranks: models that differ in nothing else are one. */
const differentVariants = variants.filter(
  ({ model }, i) =>
    variants.findIndex((other) => JSON.stringify(other.model) === JSON.stringify(model)) === i,
);

/** All that layers can do; long samples would only take longer. */
const models: readonly Plan[] = [
  ...plans,
  ...biasedPlans,
  ...attentionPlans().filter(
    ({ hardware, workload }) => hardware.gpus === 1 && workload.sequence < 50,
  ),
  ...differentVariants.map((variant) => variantPlan(variant)),
  ...tiedPlans("f32"),
  // Routers that have losses of their own.
  ...["softmax", "sigmoid"].map((scoring) =>
    expertTrainingPlan("one rank", {
      moe: `, scoring: ${scoring}, auxLossCoeff: 2, zLossCoeff: 1`,
    }),
  ),
];

describe("the gradient of every weight is the slope of the loss, along all and along one", () => {
  test.each(models)("$name", async (given) => {
    const { gradients } = await referenceGradients(given);
    const wrong: string[] = [];
    for (const [tensor, { data }] of gradients) {
      const one = Math.floor((data.length * (1 + drawn(`one of ${tensor}`, 1)[0]!)) / 2);
      const unit = data.map((_, i) => (i === one ? 1 : 0));
      for (const direction of [drawn(tensor, data.length), unit]) {
        const along = data.reduce((sum, value, i) => sum + value * direction[i]!, 0);
        const off = Math.abs((await slopeAlong(given, tensor, direction)) - along);
        // Losses are rounded. A bias of keys has no gradient: it moves all scores of a query alike.
        if (!(off < 1e-6 * Math.hypot(...data) + 3e-10)) wrong.push(tensor);
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe("every weight of the program has a gradient, in the shape of its contents", () => {
  test.each(models)("$name", async (given) => {
    const held = lower(given).ranks.flatMap(({ buffers }) =>
      buffers.flatMap(({ role, content }) =>
        role === "weight" && content !== undefined ? partsOf(content) : [],
      ),
    );
    const { gradients } = await referenceGradients(given);
    const expected = new Map(held.map(({ tensor, shape }) => [tensor, shape]));
    for (const tensor of expected.keys()) {
      if (tensor.endsWith("/router/correction/bias")) expected.delete(tensor);
    }
    expect(new Map([...gradients].map(([tensor, { shape }]) => [tensor, shape]))).toEqual(expected);
  });
});

describe("gradients of micro-batches add up to those of one large batch", () => {
  const whole = ({ workload, stages }: Plan): boolean =>
    workload.microBatches > 1 &&
    stages.every(({ layers }) =>
      layers.every(
        (layer) =>
          !(
            layer.op === "moe" &&
            (layer.capacityFactor !== undefined || layer.auxLossCoeff !== undefined)
          ) && !(layer.op === "aggregate" && layer.over === "batch"),
      ),
    );
  test.each(models.filter(whole))("$name", async (given) => {
    const split = await Promise.all(
      [...Array(given.workload.microBatches).keys()].map((microBatch) =>
        referenceGradients(given, { microBatches: [microBatch] }),
      ),
    );
    const one = { ...given, workload: { ...given.workload, microBatches: 1 } };
    const { loss, gradients } = await referenceGradients(one);
    expect(split.reduce((sum, part) => sum + part.loss, 0)).toBeCloseTo(loss, 12);
    const wrong: string[] = [];
    for (const [tensor, { data }] of gradients) {
      const sums = data.map((_, i) =>
        split.reduce((sum, part) => sum + part.gradients.get(tensor)!.data[i]!, 0),
      );
      const worst = Math.max(...sums.map((sum, i) => Math.abs(sum - data[i]!)));
      if (!(worst <= 1e-12 * Math.hypot(...data) + 1e-15)) wrong.push(tensor);
    }
    expect(wrong).toEqual([]);
  });
});
