// Bounds refute nothing where the plan leaves open what they lean on.

import { expect, test } from "vitest";
import { errorsOf, linear, warningsOf, withDegrees } from "../plan/checked.ts";
import { judgementOf, verdictOf } from "./judged.ts";

/** A stage on three GPUs, and one on the fourth. */
function uneven(gpuUtilization: number) {
  return {
    name: "uneven",
    hardware: { gpus: 4 },
    workload: { batch: 512, microBatches: 2 },
    stages: [
      {
        name: "s0",
        layers: [linear(768, 768, { kind: "column", splitDim: 1, gpus: [0, 1, 2] })],
      },
      { name: "s1", layers: [linear(768, 1, { kind: "replicated", gpus: [3] })] },
    ],
    communications: [{ name: "x", op: "all-gather", from: [0, 1, 2], to: [3], after: "s0" }],
    claims: { gpuUtilization },
  };
}

test("stages on groups of unequal size are busier on average than the bubble's formula", () => {
  // All the time on three GPUs of four; the usual formula says 2/3.
  expect(judgementOf(uneven(0.74), "gpuUtilization")).toBe("untestable");
  expect(verdictOf(uneven(0.8), "gpuUtilization")).toMatchObject({
    judgement: "refuted",
    reason: expect.stringContaining("s·m / (m + k − 1) = 75 %"),
  });
});

function peaked(more: object, claims: object) {
  return withDegrees({ hardware: { peakFlops: 1e6 }, claims, ...more });
}

test.each([
  ["samplesPerSecond", 1e6],
  ["latencyPerLayerMs", 1e-3],
])("a technique that nobody knows takes the peak from %s", (claim, value) => {
  expect(judgementOf(peaked({}, { [claim]: value }), claim)).toBe("refuted");
  const written = peaked({ optimizations: ["int4-quantization"] }, { [claim]: value });
  expect(verdictOf(written, claim)).toMatchObject({
    judgement: "untestable",
    reason: expect.stringContaining("int4-quantization"),
  });
  expect(verdictOf(written, claim)?.needs.filter(({ absurd }) => absurd !== undefined)).toEqual([]);
});

test("a technique that nobody knows may make a plan fit", () => {
  const small = (more: object) =>
    withDegrees({ hardware: { memoryPerGpu: 1000 }, claims: { memoryUtilization: 0.5 }, ...more });
  expect(errorsOf(small({}))).toContain("memory-exceeded");
  expect(judgementOf(small({}), "memoryUtilization")).toBe("refuted");
  const offloaded = small({ optimizations: ["weight-offload"] });
  expect(errorsOf(offloaded)).toEqual([]);
  expect(warningsOf(offloaded)).toContain("memory-exceeded-as-planned");
  expect(judgementOf(offloaded, "memoryUtilization")).toBe("untestable");
});

test("what latency leans on may be assumed", () => {
  for (const path of ["workload.dtype", "hardware.gpus", "workload.sequence"]) {
    const written = peaked({ assumed: [path] }, { latencyPerLayerMs: 1e-3 });
    expect(judgementOf(written, "latencyPerLayerMs")).toBe("untestable");
  }
});

test("so may the schedule of a pipeline", () => {
  const training = (assumed: string[]) =>
    withDegrees({
      hardware: { gpus: 4 },
      workload: { batch: 4, microBatches: 4, mode: "training", schedule: "1f1b" },
      parallel: { tensor: 2, pipeline: 2, expert: 2 },
      claims: { gpuUtilization: 0.9 },
      assumed,
    });
  expect(judgementOf(training([]), "gpuUtilization")).toBe("refuted");
  expect(judgementOf(training(["workload.schedule"]), "gpuUtilization")).toBe("untestable");
});

test("a feature that nobody knows may drop or share weights", () => {
  const small = (otherFeatures: string[]) =>
    withDegrees({
      hardware: { memoryPerGpu: 1000 },
      model: { otherFeatures },
      claims: { memoryUtilization: 0.5 },
    });
  expect(judgementOf(small(["rotary-scaling-yarn"]), "memoryUtilization")).toBe("refuted");
  expect(judgementOf(small(["layers-share-weights"]), "memoryUtilization")).toBe("untestable");
});

test("strong scaling is held against the time that a pipeline idles", () => {
  const scaling = (strongScaling: number) =>
    withDegrees({
      hardware: { gpus: 4 },
      workload: { batch: 4, microBatches: 4 },
      parallel: { tensor: 2, pipeline: 2, expert: 2 },
      claims: { strongScaling },
    });
  const verdict = verdictOf(scaling(0.95), "strongScaling");
  expect(verdict?.reason).toContain("schedule: 2 stages with 4 micro-batches");
  expect(verdict?.needs.map(({ what }) => what)).toContain("workload.microBatches");
  expect(verdictOf(scaling(0.7), "strongScaling")?.reason).not.toContain("schedule");
});
