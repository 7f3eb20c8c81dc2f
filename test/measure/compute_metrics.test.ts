import { expect, test } from "vitest";
import {
  computeMetrics,
  summariseStep,
  type MetricsInput,
} from "../../src/measure/compute_metrics.ts";
import { ceilingsOf } from "../../src/measure/ceiling.ts";
import type { CalibratedPeaks } from "../../src/measure/ceiling.ts";
import { groupKernels } from "../../src/measure/kernel_groups.ts";
import type { Estimate } from "../../src/program/estimate.ts";
import { ceilingsWith } from "../support/ceilings.ts";
import { instructionOf, programOf, rankTrace, span, stepTrace } from "./synthetic.ts";
import { metricsWith } from "../support/given.ts";

const layers = ["s/0.linear", "s/1.linear"];
const program = programOf(layers, [layers.map((layer) => instructionOf(layer))], {
  batch: 8,
  tokens: 80,
});

const estimate: Estimate = {
  modelFlops: 3000,
  forwardFlops: { all: 3000, attention: 0, experts: 0 },
  layers: [],
  ranks: [
    {
      rank: 0,
      flops: 5000,
      kernelBytes: 600,
      memoryBytes: 64,
      memoryByRole: { weight: 64 },
      sentBytes: 0,
      receivedBytes: 0,
    },
  ],
};

const groups = groupKernels(program, ["some"]);

/** A step of 10 ms per unit of `scale`: 2 + 4 of compute, the rest host. */
function step(scale: number) {
  return summariseStep(
    program,
    stepTrace([
      rankTrace(0, [
        span("compute", 0, 2 * scale, 0),
        span("compute", 2 * scale, 6 * scale, 1),
        span("host", 6 * scale, 10 * scale),
      ]),
    ]),
    groups,
  );
}

function peak(f32: number, copy: number | undefined, isSoftware: boolean): CalibratedPeaks {
  return {
    adapter: "some",
    ceilings: ceilingsWith({ f32, ...(copy === undefined ? {} : { copy }) }),
    software: isSoftware,
    streamedBytes: 1e6,
  };
}

function input(more: Partial<MetricsInput> = {}): MetricsInput {
  return {
    program,
    estimate,
    samples: [1, 1, 2, 1, 1].map(step),
    peaks: [peak(1e6, 2e5, true)],
    kernels: groups.groups,
    variantOf: () => undefined,
    conditions: ["a test"],
    ...more,
  };
}

test("throughput is samples and tokens over the median step", () => {
  const { stepMs, samplesPerSecond, tokensPerSecond } = computeMetrics(input());
  expect(stepMs).toMatchObject({ value: 10, unit: "ms", samples: 5, provenance: "measured" });
  expect(samplesPerSecond?.value).toBe(800);
  expect(tokensPerSecond?.value).toBe(8000);
});

test("plain vectors have no tokens", () => {
  const vectors = programOf(layers, [[]], { batch: 8, tokens: 8 });
  expect(computeMetrics(input({ program: vectors })).tokensPerSecond).toBeUndefined();
});

test("MFU counts the model's FLOPs, not what ranks repeat", () => {
  // 3000 FLOPs in 10 ms are 3e5 FLOP/s of 1e6.
  expect(computeMetrics(input()).mfu?.value).toBeCloseTo(0.3, 12);
});

test("peaks of several hardware adapters add up", () => {
  const peaks = [peak(1e6, undefined, false), peak(2e6, undefined, false)];
  expect(computeMetrics(input({ peaks })).mfu?.value).toBeCloseTo(0.1, 12);
});

test("software adapters share the machine's cores, so the largest peak is that of them all", () => {
  const peaks = [peak(1e6, 2e5, true), peak(5e5, 4e5, true)];
  const shared = computeMetrics(input({ peaks }));
  expect(shared.mfu?.value).toBeCloseTo(0.3, 12);
  expect(shared.bandwidth?.value).toBeCloseTo(0.15, 12);
  const withGpu = [...peaks, peak(2e6, 2e5, false)];
  expect(computeMetrics(input({ peaks: withGpu })).mfu?.value).toBeCloseTo(0.1, 12);
});

test("bandwidth is the bytes that kernels must move against the calibrated one", () => {
  expect(computeMetrics(input()).bandwidth?.value).toBeCloseTo(0.3, 12);
});

test("the interval of MFU is that of the steps and of the peak", () => {
  const runs = [1e6, 8e5, 8e5, 8e5, 8e5, 8e5, 8e5];
  const spread = { variant: "some", runs, others: {} };
  const ceilings = ceilingsOf({ f32: spread });
  const samples = [1, 1, 1, 1, 1].map(step);
  const { mfu } = computeMetrics(
    input({ samples, peaks: [{ adapter: "some", ceilings, software: false, streamedBytes: 1e6 }] }),
  );
  // All steps are alike; the best run is the peak, and no less than the median may be.
  expect(mfu?.value).toBeCloseTo(0.3, 12);
  expect(mfu?.interval?.[0]).toBeCloseTo(0.3, 12);
  expect(mfu?.interval?.[1]).toBeCloseTo(0.375, 12);
});

test("without a calibrated peak there is no MFU, rather than one of 0", () => {
  const { mfu, bandwidth } = computeMetrics(input({ peaks: [] }));
  expect(mfu).toBeUndefined();
  expect(bandwidth).toBeUndefined();
});

test("one unknown bandwidth makes the whole unknown", () => {
  for (const software of [true, false]) {
    const peaks = [peak(1e6, 1, software), peak(1e6, undefined, software)];
    expect(computeMetrics(input({ peaks })).bandwidth).toBeUndefined();
  }
});

test("latency per layer is of transformer blocks alone: without any there is none", () => {
  const ofBlocks = (...blocks: string[][]) =>
    computeMetrics(input({ program: { ...program, blocks } })).layerMs?.value;
  const [first = "", second = ""] = program.layers;
  expect(ofBlocks([first, second])).toBe(6);
  expect(ofBlocks([first], [second])).toBe(3);
  expect(ofBlocks([second])).toBeLessThan(6);
  expect(ofBlocks()).toBeUndefined();
});

test("a layer that was not timed is absent, and so is the latency per layer", () => {
  const samples = [1, 1, 2, 1, 1].map(step).map((sample) => ({
    ...sample,
    layers: sample.layers.slice(0, 1),
  }));
  const metrics = computeMetrics(input({ samples }));
  expect(metrics.layers.map(({ layer }) => layer)).toEqual(["s/0.linear"]);
  expect(metrics.layerMs).toBeUndefined();
});

test("a layer that was not timed in every micro-batch is absent, and so is the latency per layer", () => {
  const metrics = computeMetrics(input({ program: { ...program, microBatches: 2 } }));
  expect(metrics.layers).toEqual([]);
  expect(metrics.layerMs).toBeUndefined();
});

test("the shares of a rank sum to one", () => {
  const [rank] = computeMetrics(input()).ranks;
  if (rank === undefined) throw new Error("one rank was traced");
  const { compute, communication, host, idle, unattributed } = rank;
  const parts = [compute, communication, host, idle, unattributed];
  expect(parts.reduce((sum, { value }) => sum + value, 0)).toBeCloseTo(1, 12);
  expect(compute.value).toBeCloseTo(0.6, 12);
});

test("without communication there is no overlap, rather than one of 0", () => {
  expect(computeMetrics(input()).ranks[0]?.overlap).toBeUndefined();
});

test("without samples every figure is absent", () => {
  expect(computeMetrics(input({ samples: [] }))).toEqual(metricsWith());
});

test("every figure names the conditions of the run", () => {
  expect(computeMetrics(input()).busy?.conditions).toContain("a test");
});
