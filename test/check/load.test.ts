import { expect, test } from "vitest";
import { checkPlan } from "../../src/check/check_plan.ts";
import { readPlan } from "../../src/plan/load.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { loadPerGpu } from "../../src/program/load_per_gpu.ts";
import { linear, stages, warningsOf } from "../plan/checked.ts";
import { estimateOf, planFrom } from "./judged.ts";

function loadsOf(written: unknown) {
  return loadPerGpu(planFrom(written), estimateOf(written));
}
function on(gpu: number, out: number) {
  return linear(8, out, { kind: "replicated", gpus: [gpu] });
}
function then(gpu: number, inputs: number, out: number) {
  return linear(inputs, out, { kind: "replicated", gpus: [gpu] });
}

test("the three-stage pipeline loads its GPUs light, heavy and medium", async () => {
  const { plan } = await readPlan("configs/three-stage-pipeline.json");
  const loads = plan === undefined ? [] : loadPerGpu(plan, estimatePlan(plan));
  expect(loads.map(({ gpu, label, layers }) => ({ gpu, label, layers }))).toEqual([
    { gpu: 0, label: "light", layers: ["embedding/0.linear"] },
    { gpu: 1, label: "heavy", layers: ["embedding/0.linear", "expert/0.linear"] },
    { gpu: 2, label: "medium", layers: ["expert/0.linear", "aggregation/0.aggregate"] },
  ]);
  expect(loads.reduce((sum, { flopsShare }) => sum + flopsShare, 0)).toBeCloseTo(1, 12);
  expect(loads[0]?.flopsShare).toBeGreaterThan(loads[2]?.flopsShare ?? 1);
});

test("the message says where arithmetic alone would rank otherwise", async () => {
  const { plan } = await readPlan("configs/three-stage-pipeline.json");
  const remarks = plan === undefined ? [] : checkPlan(plan);
  expect(remarks.find(({ code }) => code === "load-per-gpu")?.message).toContain(
    "By FLOPs alone GPU 0 does more than a GPU of medium load",
  );
});

test("GPUs that do the same are all of medium load", () => {
  const plan = stages(2, [[linear(8, 8, { kind: "column", gpus: [0, 1] })]]);
  expect(loadsOf(plan).map(({ label }) => label)).toEqual(["medium", "medium"]);
  expect(warningsOf(plan)).toEqual([]);
});

/** One layer per GPU, whose arithmetic is proportional to its columns. */
function labelsOf(...outputs: number[]) {
  return loadsOf(
    stages(outputs.length, [
      outputs.map((output, gpu) => linear(6, output, { kind: "replicated", gpus: [gpu] })),
    ]),
  ).map(({ label }) => label);
}

test("4/3 of the average arithmetic is medium still, more is heavy", () => {
  expect(labelsOf(12, 12, 12)).toEqual(["medium", "medium", "medium"]);
  expect(labelsOf(16, 10, 10)).toEqual(["medium", "medium", "medium"]);
  expect(labelsOf(17, 10, 9)).toEqual(["heavy", "medium", "medium"]);
});

test("a GPU on which nothing runs is idle", () => {
  expect(loadsOf(stages(2, [[on(0, 8)]])).map(({ label }) => label)).toEqual(["heavy", "idle"]);
});

function remarksOnPair(second: number) {
  return warningsOf(stages(2, [[on(0, 12), then(1, 12, second)]])).filter(
    (code) => code === "gpu-underused",
  );
}

test("a GPU with less than half of the average arithmetic is under-used", () => {
  expect(remarksOnPair(3)).toEqual([]);
  expect(remarksOnPair(2)).toEqual(["gpu-underused"]);
});
