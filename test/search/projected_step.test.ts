import { expect, test } from "vitest";
import { judgeProjectedClaims } from "../../src/claims/judge_projected.ts";
import type { PlanFile } from "../../src/plan/schema.ts";
import { simulateHardware } from "../../src/program/simulate/simulate_hardware.ts";
import { projectStep } from "../../src/search/projected_step.ts";
import { atRoofline } from "../../src/search/roofline_step.ts";
import { dense, experts, overheads, peaks, planOf, training } from "./plans.ts";

test.each([dense, training, experts])("$name: kernels at half of the peaks lie within", (file) => {
  const plan = planOf(file);
  const { stepMs, samplesPerSecond } = projectStep(file, plan, peaks, overheads, []);
  const [low, high] = stepMs.range;
  const half = {
    flops: peaks.flops / 2,
    bandwidth: peaks.bandwidth / 2,
    linkBandwidth: peaks.linkBandwidth / 2,
  };
  const played = simulateHardware(plan, half, overheads.latencyMs, overheads.launchMs);
  expect(played.stepMs).toBeGreaterThan(low);
  expect(played.stepMs).toBeLessThan(high);
  expect(stepMs.value).toBeGreaterThan(low);
  expect(stepMs.value).toBeLessThan(high);
  expect(samplesPerSecond.range[0]).toBeCloseTo((1000 * plan.workload.batch) / high, 9);
});

test("without runs the range is no interval; with three it is, around their mean", () => {
  const plan = planOf(dense);
  expect(projectStep(dense, plan, peaks, overheads, []).stepMs.interval).toBeUndefined();
  const atPeaks = atRoofline(dense, plan, peaks, overheads).stepMs;
  const runs = [3, 4, 5].map((ratio) => ({ file: dense, plan, stepMs: ratio * atPeaks }));
  const { stepMs, parts } = projectStep(dense, plan, peaks, overheads, runs);
  expect(stepMs.value / parts.stepMs).toBeCloseTo(60 ** (1 / 3), 9);
  expect(stepMs.interval).toEqual(stepMs.range);
  expect(stepMs.provenance).toBe("projected");
});

test("written stages are simulated whole", () => {
  const file: PlanFile = {
    name: "stages",
    hardware: { gpus: 2 },
    workload: { batch: 4, microBatches: 2 },
    stages: [
      {
        name: "one",
        layers: [
          { op: "linear", in: 64, out: 64, parallel: { kind: "column", gpus: [0, 1] } },
          { op: "linear", in: 64, out: 64, parallel: { kind: "row", gpus: [0, 1] } },
        ],
      },
    ],
  };
  const plan = planOf(file);
  const played = simulateHardware(plan, peaks, overheads.latencyMs, overheads.launchMs);
  const { stepMs, wireMs } = atRoofline(file, plan, peaks, overheads);
  expect(stepMs).toBe(played.stepMs);
  const free = { flops: peaks.flops, bandwidth: peaks.bandwidth };
  const unlinked = simulateHardware(plan, free, 0, overheads.launchMs);
  expect(wireMs).toBeCloseTo(stepMs - unlinked.stepMs, 12);
  expect(wireMs).toBeGreaterThan(0);
});

test("replicas beyond those that depend on each other change only what sums gradients", () => {
  const model = { layers: 32, hidden: 4096, heads: 32, ffn: 16384, vocabulary: 32000 };
  const stepOf = (data: number): number => {
    const file: PlanFile = {
      ...training,
      hardware: { gpus: 16 * data },
      workload: { ...training.workload, batch: 4 * data, microBatches: 4, sequence: 2048 },
      model,
      parallel: { tensor: 4, pipeline: 4, data },
    };
    return atRoofline(file, planOf(file), peaks, overheads).stepMs;
  };
  const [few, many] = [stepOf(512), stepOf(1024)];
  expect(many).toBeGreaterThanOrEqual(few);
  expect(many / few).toBeLessThan(1.01);
});

test("claims get verdicts of their own kind, whatever the range says", () => {
  const claims = { samplesPerSecond: 1e9, tokensPerSecond: 1e-3 };
  const file: PlanFile = { ...dense, claims };
  const plan = planOf(file);
  const { samplesPerSecond, tokensPerSecond } = projectStep(file, plan, peaks, overheads, []);
  const verdicts = judgeProjectedClaims(plan, { samplesPerSecond, tokensPerSecond });
  expect(verdicts.map(({ judgement }) => judgement)).toEqual(["projected", "projected"]);
  expect(verdicts.map(({ reason }) => reason)).toEqual([
    expect.stringContaining("ends below"),
    expect.stringContaining("begins above"),
  ]);
});

test("of a plan that serves, tokens are those of a decode step", () => {
  const file: PlanFile = {
    ...dense,
    hardware: { gpus: 1 },
    workload: { mode: "serving", batch: 4, requests: 4, inputTokens: 80, outputTokens: 16 },
    parallel: {},
  };
  const { stepMs, tokensPerSecond } = projectStep(file, planOf(file), peaks, overheads, []);
  expect(tokensPerSecond.value).toBeCloseTo(4000 / stepMs.value, 6);
});
