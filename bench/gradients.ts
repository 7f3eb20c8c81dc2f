// Rules of the backward pass, one by one: how far the gradients of a step that is split over ranks are from those of the
// reference, both in f64, and how far the reference is from differences of the loss, weight by weight.
//
//   npm run bench:gradients

import { expect, test } from "vitest";
import { compareGradients } from "../src/harness/gradients.ts";
import type { Plan } from "../src/plan/plan.ts";
import { lower } from "../src/program/lower.ts";
import { referenceGradients } from "../src/reference/gradients.ts";
import { drawn } from "../test/support/drawn.ts";
import { interpret } from "../test/support/interpret.ts";
import { shownBuffers } from "../test/support/shown_buffers.ts";
import { slopeAlong } from "../test/support/slope.ts";
import {
  expertTrainingPlan,
  trainedTraits,
  trainingPlan,
  traitPlan,
} from "../test/support/training_plans.ts";

interface Case {
  readonly rule: string;
  readonly split: string;
  readonly plan: Plan;
}

/** Each rule where most ranks share the work. */
const cases: readonly Case[] = [
  ...["two tensor ranks, sequence parallel", "two pipeline ranks, 1F1B"].map((split) => ({
    rule: "products, norms, turns, attention, losses",
    split,
    plan: trainingPlan(split),
  })),
  ...Object.entries(trainedTraits).map(([rule, { splits }]) => {
    const split = splits.at(-1) ?? "";
    return { rule, split, plan: traitPlan(rule, split) };
  }),
  ...Object.entries({
    "experts, their dispatch and their router": "",
    "losses of a router": ", auxLossCoeff: 3, zLossCoeff: 2",
    "shared experts with a gate": ", sharedFfn: 8, sharedGate: true",
  }).map(([rule, moe]) => {
    const split = "whole experts on two tensor ranks";
    return { rule, split, plan: expertTrainingPlan(split, { moe }) };
  }),
];

/** Largest difference of a slope, in shares of the norm of its weight's gradient and a thousandth of all. */
async function differenceOf(plan: Plan): Promise<number> {
  const { gradients } = await referenceGradients(plan);
  const all = Math.hypot(...[...gradients.values()].flatMap(({ data }) => [...data]));
  let worst = 0;
  for (const [tensor, { data }] of gradients) {
    const direction = drawn(tensor, data.length);
    const along = data.reduce((sum, value, i) => sum + value * (direction[i] ?? 0), 0);
    const off = Math.abs((await slopeAlong(plan, tensor, direction)) - along);
    worst = Math.max(worst, off / (Math.hypot(...data) + all / 1000));
  }
  return worst;
}

test("the table of gradients", async () => {
  const rows: string[] = [];
  for (const { rule, split, plan } of cases) {
    const { gradients } = await referenceGradients(plan);
    const { error } = compareGradients(shownBuffers(interpret(lower(plan))), gradients, 1);
    const difference = await differenceOf(plan);
    expect(error).toBeLessThan(2e-6);
    expect(difference).toBeLessThan(1e-5);
    const cells = [
      rule,
      split,
      gradients.size,
      error.toExponential(1),
      difference.toExponential(1),
    ];
    rows.push(`| ${cells.join(" | ")} |`);
  }
  console.log(
    [
      "| rule | split | weights | error of the split step | finite difference |",
      "|---|---|---|---|---|",
      ...rows,
    ].join("\n"),
  );
});
