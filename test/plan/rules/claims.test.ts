import { expect, test } from "vitest";
import { costPerGpu } from "../../../src/plan/cost.ts";
import { parsePlan } from "../../../src/plan/load.ts";
import { memoryNeeds } from "../../../src/plan/memory_needs.ts";
import { found, infosOf, warningsOf, withDegrees, withStages } from "../checked.ts";

const planOf = (written: unknown) => {
  const { plan } = parsePlan(JSON.stringify(written), "p.json");
  if (plan === undefined) throw new Error("must load");
  return plan;
};

/** Batch 4 in one step of two layers of 10 ms: 200 samples/s. */
const speed = (samplesPerSecond: number, more = {}) =>
  withDegrees({ claims: { latencyPerLayerMs: 10, samplesPerSecond }, ...more });

test("latency × layers bounds the throughput of one batch", () => {
  expect(infosOf(speed(200))).toContain("latency-claim-consistent");
  expect(warningsOf(speed(210))).toEqual([]);
  expect(warningsOf(speed(211))).toEqual(["latency-claim-contradicts-throughput"]);
  const tokens = withDegrees({
    workload: { sequence: 8 },
    claims: { latencyPerLayerMs: 10, tokensPerSecond: 3200 },
  });
  expect(warningsOf(tokens)).toEqual(["latency-claim-contradicts-throughput"]);
});

test("a pipeline overlaps micro-batches: p + m − 1 turns of its layers", () => {
  const more = {
    hardware: { gpus: 4 },
    workload: { batch: 4, microBatches: 4 },
    parallel: { tensor: 2, pipeline: 2, expert: 2 },
  };
  // One layer per stage, five turns of 10 ms for four samples.
  expect(warningsOf(speed(80, more))).toEqual([]);
  expect(warningsOf(speed(90, more))).toEqual(["latency-claim-contradicts-throughput"]);
});

test("the finding names both figures, the distance and what is assumed", () => {
  const message = found(
    speed(400, { assumed: ["workload.batch"] }),
    "latency-claim-contradicts-throughput",
  )?.message;
  expect(message).toContain(
    "20 ms per step of batch 4, at most 200 samples/s, but 400 are claimed",
  );
  expect(message).toContain("2 times as much");
  expect(message).toContain("workload.batch 4 (assumed)");
});

const flopsPerSample = (written: unknown) => {
  const plan = planOf(written);
  return costPerGpu(plan).reduce((sum, { flops }) => sum + flops, 0) / plan.workload.batch;
};
const peakFlops = 1e9;
const most = (2 * peakFlops) / flopsPerSample(withDegrees({}));
const peak = (samplesPerSecond: number, claims = {}) =>
  withDegrees({ hardware: { peakFlops }, claims: { samplesPerSecond, ...claims } });

test("no throughput is above the peak of all GPUs", () => {
  expect(infosOf(peak(most))).toContain("throughput-claim-within-peak");
  expect(warningsOf(peak(most))).toEqual([]);
  expect(warningsOf(peak(most * 1.001))).toEqual(["throughput-claim-exceeds-peak"]);
});

test("training does three times the arithmetic", () => {
  const training = (samplesPerSecond: number) =>
    warningsOf(
      withDegrees({
        hardware: { peakFlops },
        workload: { mode: "training" },
        claims: { samplesPerSecond },
      }),
    );
  expect(training(most / 3.01)).toEqual(["training-runs-forward-only"]);
  expect(training(most / 2.99)).toContain("throughput-claim-exceeds-peak");
});

test("compute utilization is the share of the peak that the throughput needs", () => {
  const code = "utilization-claim-contradicts-throughput";
  expect(warningsOf(peak(most * 0.6, { computeUtilization: 0.6 }))).toEqual([]);
  expect(warningsOf(peak(most * 0.55, { computeUtilization: 0.6 }))).toEqual([]);
  expect(warningsOf(peak(most * 0.5, { computeUtilization: 0.6 }))).toEqual([code]);
});

const piped = (gpuUtilization: number, microBatches: number) =>
  withStages({ workload: { batch: 36, microBatches }, claims: { gpuUtilization } });

test("nobody is busier than the bubble allows", () => {
  const code = "utilization-claim-exceeds-bubble";
  // Three stages, four micro-batches: 4/6.
  expect(warningsOf(piped(0.66, 4))).not.toContain(code);
  expect(warningsOf(piped(0.67, 4))).toContain(code);
  expect(warningsOf(piped(0.67, 6))).not.toContain(code);
});

test("compute utilization is bounded by the busiest GPU's share", () => {
  const code = "utilization-claim-exceeds-balance";
  expect(warningsOf(withDegrees({ claims: { computeUtilization: 0.8 } }))).not.toContain(code);
  expect(warningsOf(withStages({ claims: { computeUtilization: 0.8 } }))).toContain(code);
  expect(warningsOf(withStages({ claims: { computeUtilization: 0.3 } }))).not.toContain(code);
});

const needed = Math.max(...memoryNeeds(planOf(withDegrees({}))).map(({ total }) => total));
const memory = (memoryUtilization: number) =>
  withDegrees({ hardware: { memoryPerGpu: needed * 4 }, claims: { memoryUtilization } });

test("a memory claim is about what the parts add up to", () => {
  const only = (share: number) =>
    warningsOf(memory(share)).filter((code) => code !== "memory-unrealistic");
  expect(infosOf(memory(0.25))).toContain("memory-claim-agrees-with-estimate");
  expect(only(0.23)).toEqual([]);
  expect(only(0.22)).toEqual(["memory-claim-below-estimate"]);
  expect(only(0.5)).toEqual([]);
  expect(only(0.51)).toEqual(["memory-claim-above-estimate"]);
});

test("efficiency needs a baseline, and is not above 1", () => {
  expect(warningsOf(withDegrees({ claims: { strongScaling: 1 } }))).toEqual([
    "scaling-claim-without-baseline",
  ]);
  expect(warningsOf(withDegrees({ claims: { weakScaling: 1.01 } }))).toEqual([
    "scaling-claim-without-baseline",
    "scaling-claim-superlinear",
  ]);
});

test.each([
  ["expertVariance", 0, 0.1],
  ["expertsPerGpu", 3, 4],
  ["tensorGroupSize", 2, 3],
])("%s follows from the split", (key, right, wrong) => {
  expect(infosOf(withDegrees({ claims: { [key]: right } }))).toContain("split-claim-consistent");
  expect(warningsOf(withDegrees({ claims: { [key]: wrong } }))).toEqual([
    "split-claim-contradicted",
  ]);
});
