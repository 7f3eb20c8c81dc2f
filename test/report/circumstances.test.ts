// What a report says of load, of peaks that changed, and of figures that cannot be.

import { expect, test } from "vitest";
import { ceilingsOf } from "../../src/measure/ceiling.ts";
import type { MachineLoad } from "../../src/measure/machine_load.ts";
import { boundShareCells } from "../../src/report/sections/bound_share.ts";
import { circumstanceNotes } from "../../src/report/sections/circumstances.ts";
import type { RunResult } from "../../src/result/result.ts";
import { runReport } from "../../src/report/run_report.ts";
import { runOf, swiftshader } from "../support/made_up_run.ts";
import { measured, planOf, software } from "../support/given.ts";
import { shown } from "../support/shown.ts";

const pipeline = await planOf("three-stage-pipeline.json");
const run = runOf(pipeline);

function during(othersShare: number, stolenShare: number): RunResult["runs"][number] {
  const quiet: MachineLoad = { othersShare: 0, stolenShare: 0 };
  return { load: { before: quiet, during: { othersShare, stolenShare } } };
}

test("control: a quiet machine whose peaks stayed needs no note", () => {
  expect(circumstanceNotes({ ...run, runs: [during(0.01, 0)] })).toEqual([]);
  expect(circumstanceNotes(run)).toEqual([]);
});

test("load by others is said, and what the host gave away where it did", () => {
  expect(circumstanceNotes({ ...run, runs: [during(0.1, 0), during(0.34, 0)] })).toEqual([
    "other processes had 34.0 % of the CPU time while steps ran",
  ]);
  expect(circumstanceNotes({ ...run, runs: [during(0.01, 0.05)] })).toEqual([
    "other processes had 1.0 % of the CPU time while steps ran, and its host gave 5.0 % to others",
  ]);
});

function withPeak(after: readonly number[]) {
  const f32 = { variant: "some", runs: [90e9, 100e9], others: {}, after: [[99e9], after] };
  return [{ ...swiftshader, ceilings: ceilingsOf({ f32 }) }];
}

test("a peak that changed by more than a tenth is said, and the largest counts", () => {
  const calibration = withPeak([80e9, 112e9]);
  expect(calibration[0]?.ceilings.f32?.figure.value).toBe(112e9);
  expect(circumstanceNotes({ ...run, calibration })).toEqual([
    "the f32 peak of swiftshader changed while steps ran: 100 GFLOP/s before them, 99 GFLOP/s, " +
      "112 GFLOP/s after; the largest counts",
  ]);
  expect(circumstanceNotes({ ...run, calibration: withPeak([80e9, 109e9]) })).toEqual([]);
  expect(circumstanceNotes({ ...run, calibration: withPeak([89e9]) })).toHaveLength(1);
});

test("no figure over its bound is printed as a result", () => {
  const slow = { variant: "some", runs: [20e9], others: {} };
  const ceilings = ceilingsOf({ f32: slow, copy: { ...slow, runs: [1e9] } });
  const calibration = { ...swiftshader, ceilings, streamedBytes: 2 ** 30 };
  const given = runOf(pipeline, software, undefined, [calibration]);
  const text = shown(runReport(pipeline, given)).join("\n");
  const flat = text.replace(/\s+/g, " ");
  expect(text).toMatch(/^MFU +> 100 % +–$/m);
  expect(flat).toMatch(/the measurement contradicts itself: MFU is \d+.\d % \(95 % within/);
  expect(flat).toMatch(/contradicts itself: the share that matmul reaches of its bound is/);
  // All of its kernels move less at a time than caches may hold.
  expect(text).toMatch(/^bandwidth +in caches +–$/m);
  const tables = text.slice(text.indexOf("Speed"), text.indexOf("Claims"));
  expect(tables).not.toMatch(/[1-9]\d{2}\.\d %/);
});

test("a share near its bound is printed as near, with an interval up to it", () => {
  expect(boundShareCells(measured(0.97, "share", [0.95, 1]), false)).toEqual([
    "97.0 %",
    "95.0 … 100.0 %",
  ]);
  expect(boundShareCells(measured(1.02, "share", [0.97, 1.02]), false)).toEqual([
    "~ 100 %",
    "97.0 … 100.0 %",
  ]);
  expect(boundShareCells(measured(1.2, "share", [1.1, 1.3]), false)).toEqual(["> 100 %", ""]);
  expect(boundShareCells(measured(1.2, "share", [1.1, 1.3]), true)).toEqual(["in caches", ""]);
});
