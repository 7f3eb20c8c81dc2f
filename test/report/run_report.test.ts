import { describe, expect, test } from "vitest";
import type { Plan } from "../../src/plan/plan.ts";
import { lower } from "../../src/program/lower.ts";
import type { RunResult } from "../../src/result/result.ts";
import { runReport } from "../../src/report/run_report.ts";
import { widthOf } from "../../src/report/render/text_width.ts";
import { runOf, swiftshader } from "../support/made_up_run.ts";
import { adapter, planOf, software } from "../support/given.ts";
import { shown } from "../support/shown.ts";
import { metricsWith } from "../support/given.ts";

const pipeline = await planOf("three-stage-pipeline.json");
const moe = await planOf("moe-ep3-tp2.json");

describe("the report of a run", () => {
  const lines = shown(runReport(pipeline, runOf(pipeline)));
  const text = lines.join("\n");

  test.each([
    ["the pipeline", pipeline],
    ["the mixture of experts", moe],
  ])("%s fits 80 columns, without color and without trailing spaces", (_, plan) => {
    for (const line of shown(runReport(plan, runOf(plan)))) {
      expect(widthOf(line)).toBeLessThanOrEqual(80);
      expect(line).not.toContain("\u001B");
      expect(line).toBe(line.trimEnd());
    }
  });

  test("it says what ran on what, and whether it is right", () => {
    expect(lines[0]).toBe(
      "three-stage-pipeline: 3 ranks, inference, f32, batch 256 in 4 micro-batches",
    );
    expect(text).toContain("software, shared with 1, 2");
    expect(text).toContain("right  largest relative error 3.1e-7, accepted ");
    expect(text).toContain("matmul 8 of 16");
    expect(text).toContain("not checked: kernel attend_cache");
  });

  test("every figure of speed has its unit, its samples and its interval", () => {
    expect(text).toMatch(/^samples +[\d,.]+ samples\/s +[\d,.]+ … [\d,.]+ samples\/s$/m);
    expect(text).toMatch(/^MFU +[\d.]+ % +[\d.]+ … [\d.]+ %$/m);
    expect(text).toContain("measured, 6 samples");
  });

  test("every peak says which variant reached it, in how many runs, and how low they went", () => {
    const flat = text.replace(/\s+/g, " ");
    expect(flat).toContain("peaks of swiftshader, measured in this run, alone on the adapter: ");
    expect(flat).toContain("f32 500 GFLOP/s (some_variant, 5 runs, median 450 GFLOP/s)");
    expect(flat).toContain("memory 20 GB/s (copy, 5 runs, median 20 GB/s); ridge at 25 FLOP/B");
  });

  test("f16 storage is held against the f32 peak, and the report says so", () => {
    const half: Plan = { ...pipeline, workload: { ...pipeline.workload, dtype: "f16" } };
    const report = shown(runReport(half, runOf(half)))
      .join("\n")
      .replace(/\s+/g, " ");
    expect(report).toContain("450 GFLOP/s), which f16 storage computes in;");
  });

  test("a kept calibration says of when it is, and what holds of it now", () => {
    const kept = { ...swiftshader, cached: { f32: 0.97, copy: 1.02 } };
    const result = runOf(pipeline, software, { state: "complete" }, [kept]);
    expect(shown(runReport(pipeline, result)).join("\n").replace(/\s+/g, " ")).toContain(
      "kept from 2026-01-02T03:04:06.000Z; now 97.0 % and 102.0 % of it",
    );
  });

  test.each([
    [60, "gpu0, gpu1 look alike and are GPUs of their own: kept busy at once, they take 1 times"],
    [
      120,
      "gpu0 and gpu1 are not proven to be GPUs of their own: kept busy at once, they take 2 times",
    ],
  ])("adapters that look alike are told apart, or not: %i ms together", (ms, sentence) => {
    const turn = (id: string) => ({ adapter: id, startMs: 0, endMs: ms });
    const separation = {
      date: "2026-01-02T03:04:05.000Z",
      adapters: ["gpu0", "gpu1"],
      alone: [[60], [60]],
      together: [[turn("gpu0"), turn("gpu1")]],
    };
    const report = shown(runReport(pipeline, { ...runOf(pipeline), separation }));
    expect(report.join("\n").replace(/\s+/g, " ")).toContain(`${sentence} as long as alone`);
  });

  test("what a person should know of the circumstances is said", () => {
    const result = { ...runOf(pipeline), notes: ["shared memory lies on a disk"] };
    expect(shown(runReport(pipeline, result)).join("\n")).toContain("shared memory lies on a disk");
  });

  test.each([
    ["the pipeline", pipeline, undefined],
    ["the mixture of experts", moe, 6],
  ])("every layer of %s has its latency, and so have its blocks, if any", (_, plan, samples) => {
    const { metrics } = runOf(plan);
    const { layers, ranks } = lower(plan);
    const working = new Set(
      ranks.flatMap(({ instructions }) =>
        instructions.flatMap(({ op, origin }) => (op === "kernel" ? [origin.layer] : [])),
      ),
    );
    // A residual is part of the norm that follows it.
    expect(metrics.layers.map(({ layer }) => layer)).toEqual(
      layers.filter((layer) => working.has(layer)),
    );
    expect(metrics.layerMs?.samples).toBe(samples);
  });

  test("a second software adapter adds no peak, a second hardware adapter does", () => {
    const mfuOn = (kind: { readonly software: boolean }) => {
      const adapters = software.map((each) => ({ ...each, ...kind }));
      const second = adapter(2, { id: "lavapipe", ...kind });
      const peaks = [swiftshader, { ...swiftshader, adapter: "lavapipe" }];
      return runOf(pipeline, [...adapters.slice(0, 2), second], { state: "complete" }, peaks)
        .metrics.mfu?.value;
    };
    const alone = runOf(pipeline).metrics.mfu?.value ?? Number.NaN;
    expect(mfuOn({ software: true })).toBe(alone);
    expect(mfuOn({ software: false })).toBeCloseTo(alone / 2, 12);
  });

  test("the plan's claim stands with its verdict and the reason", () => {
    expect(text).toMatch(/^GPU utilization +95\.0 % +[\d.]+ % +[\d.]+× {2}untestable$/m);
    expect(text).toContain("1 claim: 1 untestable");
  });

  test("the estimate is held against what was allocated", () => {
    expect(text).toContain("the estimate equals what was allocated, to the byte");
    const run = runOf(pipeline);
    const off = { ...run, memory: [{ rank: 1, allocatedBytes: 1, peakBytes: 1 }] };
    expect(shown(runReport(pipeline, off)).join("\n")).toContain("is not what was allocated");
  });

  test("a wrong result is called wrong", () => {
    const run = runOf(pipeline);
    if (run.check === undefined) throw new Error("the run was checked");
    const wrong = { ...run, check: { ...run.check, error: 0.5 } };
    expect(shown(runReport(pipeline, wrong)).join("\n")).toContain("wrong  largest relative error");
  });

  test("where rounding may hide much, the report says how much", () => {
    expect(text).not.toContain("of smaller faults");
    const run = runOf(pipeline);
    if (run.check === undefined) throw new Error("the run was checked");
    const lax = { ...run, check: { ...run.check, tolerance: 0.2 } };
    const flat = shown(runReport(pipeline, lax)).join(" ").replace(/\s+/g, " ");
    expect(flat).toContain("may be off by 20.0 % of the largest value: of smaller faults");
  });

  test("a fault is told with its way out and with what was kept", () => {
    const fault = {
      state: "fault",
      code: "rank-died",
      message: "rank 1 ended by SIGKILL",
      hint: "look at its memory",
    } as const;
    const report = shown(runReport(pipeline, runOf(pipeline, software, fault))).join("\n");
    expect(report).toContain("Stopped by rank-died: rank 1 ended by SIGKILL. 6 samples kept.");
    expect(report).toContain("→ look at its memory");
  });

  test("a run without samples has no empty sections and no zeros", () => {
    const run = runOf(pipeline);
    const empty: RunResult = {
      ...run,
      samples: [],
      metrics: metricsWith(),
    };
    const report = shown(runReport(pipeline, empty)).join("\n");
    expect(report).not.toContain("Speed");
    expect(report).not.toContain("Latency per layer");
  });
});

test("every kernel is held against the roofline, those that took the most time first", () => {
  const result = runOf(pipeline);
  const text = shown(runReport(pipeline, result)).join("\n");
  expect(text).toContain("Kernels against the roofline");
  expect(text).toMatch(/^matmul +[\d.]+ % +8 +1 ms +28.1 +268 GFLOP\/s +53.7 %$/m);
  expect(text.replace(/\s+/g, " ")).toContain("m 64, n 512, k 4096, f32; bound by f32 arithmetic");
  const shares = result.metrics.kernels.map(({ share }) => share.value);
  expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
});
