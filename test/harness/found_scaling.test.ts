// Which of the sizes that were timed a plan's claims are held against.

import { expect, test } from "vitest";
import { foundScaling } from "../../src/harness/found_scaling.ts";
import type { ScalingKind } from "../../src/measure/scaling.ts";
import type { ScaledSize } from "../../src/result/scaling.ts";
import { exclusive, measured, planOf } from "../support/given.ts";

const plan = await planOf("three-stage-pipeline.json");

function timed(kind: ScalingKind, gpus: number, batch: number): ScaledSize {
  return {
    kind,
    gpus,
    state: "timed",
    split: "3 stages",
    batch,
    turns: 7,
    turnMs: [],
    aloneMs: measured(3, "ms"),
    stepMs: measured(1, "ms"),
    efficiency: measured(gpus / 10, "share"),
    loss: { compute: 0, communication: 0, imbalance: 0, waiting: 0, host: 0 },
  };
}

function kindsOf(sizes: readonly ScaledSize[]): string[] {
  const { strongScaling, weakScaling } = foundScaling(plan, sizes, { adapters: exclusive });
  return [
    ...(strongScaling === undefined ? [] : [`strong ${strongScaling.value}`]),
    ...(weakScaling === undefined ? [] : [`weak ${weakScaling.value}`]),
  ];
}

test("control: both, at the plan's number of GPUs and its batch", () => {
  const sizes = [timed("strong", 2, 256), timed("strong", 3, 256), timed("weak", 3, 256)];
  expect(kindsOf(sizes)).toEqual(["strong 0.3", "weak 0.3"]);
});

test("not weak scaling at a larger batch than the plan's, as where the GPUs do not divide it", () => {
  expect(kindsOf([timed("strong", 3, 256), timed("weak", 3, 768)])).toEqual(["strong 0.3"]);
});
