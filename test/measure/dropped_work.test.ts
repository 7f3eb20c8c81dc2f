import { expect, test } from "vitest";
import { breakDown } from "../../src/measure/breakdown.ts";
import { droppedFlops } from "../../src/measure/dropped_work.ts";
import type { StepSample } from "../../src/measure/sample.ts";
import { utilization } from "../../src/measure/utilization.ts";
import { estimate } from "../../src/program/estimate.ts";
import { kernelFlops } from "../../src/program/instruction_cost.ts";
import { lower } from "../../src/program/lower.ts";
import { moe, plan } from "../support/plans.ts";
import { expertTrainingPlan } from "../support/training_plans.ts";
import { ceilingsWith } from "../support/ceilings.ts";
import { rankTrace } from "./synthetic.ts";

const layer = "stage0/0.moe";
/** 4 samples of 3 tokens in 2 micro-batches, each token to 2 of 5 experts: 24 choices. */
const choices = 24;
/** Two matrices of 8 × 6 per expert. */
const flopsPerChoice = 2 * 2 * 8 * 6;

function mixture(rest: Parameters<typeof moe>[5] = {}) {
  return plan("mixture", 2, [[moe(8, 5, 2, [[0], [1]], [0, 1], rest)]]);
}

/** Experts 0 … 2 on rank 0, the others on rank 1; what is not kept was dropped. */
function sampleOf(kept: number): StepSample {
  return {
    run: 0,
    step: 0,
    provenance: "measured",
    wallMs: 1,
    ranks: [breakDown(rankTrace(0, []), 1)],
    layers: [],
    communication: [],
    experts: [
      {
        layer,
        ranks: [
          { rank: 0, tokens: [kept - 2, 0, 0] },
          { rank: 1, tokens: [1, 1] },
        ],
        dropped: choices - kept,
      },
    ],
  };
}

function droppedOf(kept: number, rest?: Parameters<typeof moe>[5]): number {
  return droppedFlops(lower(mixture(rest)))(sampleOf(kept)).model;
}

test("every dropped choice spares its products", () => {
  expect(droppedOf(20, { capacityFactor: 1.25 })).toBe(4 * flopsPerChoice);
  expect(droppedOf(2, { capacityFactor: 1.25 })).toBe(22 * flopsPerChoice);
});

test("a gated expert has three products", () => {
  expect(droppedOf(20, { capacityFactor: 1.25, activation: "silu" })).toBe(4 * 3 * 2 * 8 * 6);
});

test("control: where nothing is dropped nothing is spared", () => {
  expect(droppedOf(choices)).toBe(0);
});

test("what a capacity below the balanced load drops was never estimated, and is not taken off twice", () => {
  // ceil(6 tokens · 2 ÷ 5 · 0.4) = 1 row per expert and micro-batch: 10 choices at most.
  expect(droppedOf(10, { capacityFactor: 0.4 })).toBe(0);
  expect(droppedOf(7, { capacityFactor: 0.4 })).toBe(3 * flopsPerChoice);
});

test("MFU counts the choices that were kept, and no others", () => {
  const given = mixture({ capacityFactor: 1.25 });
  const program = lower(given);
  const costs = estimate(program, given);
  const peaks = [
    { adapter: "some", ceilings: ceilingsWith({ f32: 1e6 }), software: false, streamedBytes: 1e6 },
  ];
  const mfuOf = (kept: number) =>
    utilization([sampleOf(kept)], program, costs, peaks, {
      provenance: "measured",
      conditions: [],
    }).mfu?.value;
  // 1 ms at 1e6 FLOP/s are 1000 FLOPs.
  expect(mfuOf(choices)).toBeCloseTo(costs.modelFlops / 1000, 12);
  expect(mfuOf(20)).toBeCloseTo((costs.modelFlops - 4 * flopsPerChoice) / 1000, 12);
});

test("of a step that trains, a dropped choice spares its products in all passes, and where they come again", () => {
  const trains = expertTrainingPlan("slices, whole experts and replicas");
  const recompute = { granularity: "full" } as const;
  const again = { ...trains, workload: { ...trains.workload, recompute } };
  for (const each of [trains, again]) {
    const program = lower(each);
    const moeLayer = program.layers.find((name) => name.includes("moe")) ?? "";
    const none: StepSample = {
      ...sampleOf(choices),
      experts: [{ layer: moeLayer, ranks: [{ rank: 0, tokens: [0] }], dropped: 1 }],
    };
    const products = program.ranks
      .flatMap(({ instructions }) => instructions)
      .flatMap((one) => (one.op === "kernel" && one.kernel === "grouped_matmul" ? one : []))
      .filter(({ origin }) => origin.layer === moeLayer);
    const flopsOf = (own: typeof products) =>
      own.reduce((sum, product) => sum + kernelFlops(product), 0);
    const forward = flopsOf(products.filter(({ origin }) => origin.phase === "forward"));
    const recomputed = flopsOf(products.filter(({ origin }) => origin.isRecomputed === true));
    expect([forward > 0, recomputed > 0]).toEqual([true, each === again]);
    expect(droppedFlops(program)(none)).toEqual({ model: 3 * forward, recomputed });
  }
});
