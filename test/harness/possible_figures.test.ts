import { expect, test } from "vitest";
import type { Calibration } from "../../src/gpu/calibration/calibration.ts";
import { lookedAtAgain } from "../../src/harness/calibrations.ts";
import type { Job } from "../../src/harness/job.ts";
import { calibratedAgain, isPossible } from "../../src/harness/possible_figures.ts";
import { ceilingsOf } from "../../src/measure/ceiling.ts";
import type { AdapterCalibration, RunResult } from "../../src/result/result.ts";
import { planOf, software } from "../support/given.ts";
import { runOf, swiftshader } from "../support/made_up_run.ts";

const pipeline = await planOf("three-stage-pipeline.json");

function variant(rate: number) {
  return { variant: "some", runs: [rate, rate], others: {} };
}
function peaksOf(f32: number): AdapterCalibration {
  return {
    ...swiftshader,
    ceilings: ceilingsOf({ f32: variant(f32), copy: variant(20e9) }),
  };
}
function resultBy(calibration: readonly AdapterCalibration[]): RunResult {
  return runOf(pipeline, software, { state: "complete" }, calibration);
}

/** A run whose peaks were measured as 20 GFLOP/s, where its steps need 95, and are measured once more. */
async function withPeaksAnew(f32: number) {
  let calibration: readonly AdapterCalibration[] = [peaksOf(20e9)];
  const calibrated: Calibration = {
    version: 2,
    date: "2026-01-02T03:04:06.000Z",
    tookMs: 1,
    rates: { f32: variant(f32), copy: variant(10e9) },
    costs: {},
  };
  const job: Pick<Job, "options" | "record" | "note"> = {
    options: { onProgress: () => undefined },
    record: () => ({ ...resultBy(calibration), calibration }),
    note: (more) => {
      calibration = more.calibration ?? calibration;
    },
  };
  const pool = {
    adapters: [],
    calibrate: async () => [{ adapter: "swiftshader", calibration: calibrated }],
  };
  return calibratedAgain(job, pool, async () => resultBy(calibration));
}

test("control: a run within its peaks is possible, one beyond them is not", () => {
  expect(isPossible(resultBy([peaksOf(500e9)]))).toBe(true);
  expect(isPossible(resultBy([peaksOf(20e9)]))).toBe(false);
});

test("peaks that were measured in a bad moment are measured again, and the larger of each counts", async () => {
  const result = await withPeaksAnew(500e9);
  expect(isPossible(result)).toBe(true);
  const [{ ceilings } = peaksOf(1)] = result.calibration;
  expect(ceilings.f32?.figure.value).toBe(500e9);
  expect(ceilings.copy?.figure.value).toBe(20e9);
});

test("what is impossible by these, too, stops the run and says what", async () => {
  await expect(withPeaksAnew(21e9)).rejects.toMatchObject({
    code: "contradicts-itself",
    message: expect.stringMatching(/contradicts itself: MFU is [\d.]+ % .*, more than there is/),
  });
});

test("peaks after the steps are of the same variants, one entry for each run", async () => {
  const asked: unknown[] = [];
  const pool = {
    lookAtPeaks: async (variants: ReadonlyMap<string, unknown>) => {
      asked.push(...variants.values());
      return new Map([["swiftshader", { f32: [25e9, 30e9], copy: [1e9] }]]);
    },
  };
  const once = await lookedAtAgain(pool, [peaksOf(20e9)]);
  const [twice] = await lookedAtAgain(pool, once);
  expect(asked).toEqual([
    { f32: "some", copy: "some" },
    { f32: "some", copy: "some" },
  ]);
  expect(twice?.ceilings.f32).toMatchObject({
    figure: { value: 30e9 },
    runs: [20e9, 20e9],
    after: [
      [25e9, 30e9],
      [25e9, 30e9],
    ],
    change: 0.5,
  });
  // Slower afterwards: what was reached before counts.
  expect(twice?.ceilings.copy?.figure.value).toBe(20e9);
});
