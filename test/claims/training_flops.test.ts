// FLOPs of a sample of a plan whose steps train: its program has the backward pass, which counts once.

import { expect, test } from "vitest";
import { sampleFlops } from "../../src/claims/flops.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { claiming, exclusive, measured, metricsWith, verdictOn } from "../support/given.ts";
import { expertTrainingPlan, trainingPlan } from "../support/training_plans.ts";
import { planOf } from "../support/written_plan.ts";

const plans: readonly (readonly [string, Plan])[] = [
  ["one rank", trainingPlan("one rank")],
  ["tensor", trainingPlan("two tensor ranks")],
  ["experts", expertTrainingPlan("slices, whole experts and replicas")],
];

test.each(plans)("a sample is about three forward passes, %s", (_, plan) => {
  const { optimizer: _optimizer, ...workload } = plan.workload;
  const counted: Plan = { ...plan, workload };
  const [trains, stands] = [plan, counted].map((each) =>
    sampleFlops({ plan: each, estimate: estimatePlan(each) }),
  );
  for (const key of ["model", "least", "wholeAttention", "withoutAttention"] as const) {
    const ratio = (trains?.[key] ?? 0) / (stands?.[key] ?? 0);
    expect(ratio).toBeGreaterThan(0.9);
    expect(ratio).toBeLessThan(1.15);
  }
});

test("a step of which something has no gradient here is three forward passes all the same", () => {
  const written = (optimizer: string) =>
    planOf(`
name: linear attention
hardware: { gpus: 2 }
workload: { mode: training, batch: 4, sequence: 6${optimizer} }
model:
  { layers: 1, hidden: 16, heads: 4, ffn: 24,
    gatedDelta: { layers: [0], keyHeads: 4, valueHeads: 4, keyDim: 8, valueDim: 8, kernel: 3 } }
parallel: { tensor: 2 }
`);
  const [plain, named] = ["", ", optimizer: { name: sgd }"].map((optimizer) => {
    const plan = written(optimizer);
    return sampleFlops({ plan, estimate: estimatePlan(plan) }).model;
  });
  // The loss is counted besides.
  expect((named ?? 0) / (plain ?? 0)).toBeGreaterThanOrEqual(1);
  expect((named ?? 0) / (plain ?? 0)).toBeLessThan(1.02);
});

function verdict(key: "computeUtilization" | "hardwareFlopsUtilization", share: number) {
  const [, [, plan] = []] = plans;
  if (plan === undefined) throw new Error("no plan");
  const hardware = { ...plan.hardware, peakFlops: 1e9 };
  const rate = plan.hardware.gpus * 1e9;
  const part = (low: number, high: number) =>
    measured(rate * ((low + high) / 2), "FLOP/s", [rate * low, rate * high]);
  return verdictOn(claiming({ ...plan, hardware, assumed: [] }, { [key]: share }), key, {
    adapters: exclusive,
    metrics: metricsWith({
      samplesPerSecond: measured(1000, "samples/s", [990, 1010]),
      modelFlopsRate: part(0.19, 0.21),
      hardwareFlopsRate: part(0.27, 0.29),
      mfu: measured(0.9, "share", [0.89, 0.91]),
      hfu: measured(0.95, "share", [0.94, 0.96]),
    }),
  });
}

test.each([
  ["computeUtilization", 0.18, "confirmed"],
  ["computeUtilization", 0.25, "refuted"],
  ["hardwareFlopsUtilization", 0.25, "confirmed"],
  ["hardwareFlopsUtilization", 0.3, "refuted"],
] as const)(
  "%s of %d of the plan's peak is %s by FLOPs that were done",
  (key, share, judgement) => {
    expect(verdict(key, share)?.judgement).toBe(judgement);
  },
);
