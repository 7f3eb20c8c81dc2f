// The first screen of a run: 24 lines of 80 columns, verdicts first.

import { describe, expect, test } from "vitest";
import { limitsOf } from "../../src/measure/limits.ts";
import { widthOf } from "../../src/report/render/text_width.ts";
import { summaryReport } from "../../src/report/summary_report.ts";
import type { RunResult } from "../../src/result/result.ts";
import { claiming, planOf, software } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";
import { shown } from "../support/shown.ts";

const pipeline = await planOf("three-stage-pipeline.json");
const moe = await planOf("moe-ep3-tp2.json");
/** Two lines more say where the result is. */
const room = 22;

test.each([
  ["the pipeline", pipeline],
  ["the mixture of experts, with eight claims", moe],
  ["a plan without claims", claiming(pipeline, {})],
])("%s fits a screen", (_, plan) => {
  const lines = shown(summaryReport(plan, runOf(plan)));
  expect(lines.length).toBeLessThanOrEqual(room);
  expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(80);
});

test("it says what ran on what, that its numbers are right, and what limits it", () => {
  const lines = shown(summaryReport(pipeline, runOf(pipeline)));
  expect(lines).toContain("ran on   3 × swiftshader (software, shared)");
  expect(lines.join("\n")).toMatch(/^numbers {2}right, largest relative error 3\.1e-7, accepted/m);
  expect(lines.join("\n")).toMatch(
    /^step +[\d.]+ ms \(6 samples, 95 % within .+\), .+samples\/s$/m,
  );
  expect(lines).toContain("1 claim: 1 untestable");
  expect(lines.join("\n")).toMatch(
    /^GPU utilization .+ untestable {2}needs workload\.microBatches ≥/m,
  );
  expect(lines.join("\n")).toMatch(
    /^kernels, above their bounds +[\d.]+ % {2}gather_columns, [\d.]+ %$/m,
  );
});

test("what was refuted comes first, and what has no room is counted", () => {
  const run = runOf(moe);
  const verdicts = run.verdicts.map((each, i) =>
    i === run.verdicts.length - 1 ? { ...each, judgement: "refuted" as const } : each,
  );
  const lines = shown(summaryReport(moe, { ...run, verdicts }));
  const header = lines.findIndex((line) => line.startsWith("claim "));
  expect(lines[header + 1]).toContain("refuted");
  expect(lines.join("\n")).toMatch(/^and \d+ more$/m);
});

test("a run that broke off says so first", () => {
  const outcome = { state: "fault", code: "rank-died", message: "gone", hint: "look" } as const;
  const [, , first] = shown(summaryReport(pipeline, runOf(pipeline, software, outcome)));
  expect(first).toContain("Stopped by rank-died");
});

test("numbers that are wrong are called so", () => {
  const run = runOf(pipeline);
  const check = run.check && { ...run.check, error: 1 };
  const wrong: RunResult = { ...run, ...(check === undefined ? {} : { check }) };
  expect(shown(summaryReport(pipeline, wrong)).join("\n")).toContain("numbers  WRONG");
});

describe("what limits a step", () => {
  test("is parts of one whole, largest first", () => {
    const limits = limitsOf(runOf(pipeline).metrics);
    expect(limits.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6);
    const shares = limits.map(({ share }) => share);
    expect(shares).toEqual(shares.toSorted((a, b) => b - a));
  });

  test("is kernels as a whole where no bound is known", () => {
    const { metrics } = runOf(pipeline, software, { state: "complete" }, []);
    const names = limitsOf(metrics).map(({ what }) => what);
    expect(names).toContain("kernels");
    expect(names).not.toContain("below the roofline");
  });

  test("is nothing where nothing was timed", () => {
    expect(limitsOf({ ranks: [], kernels: [] })).toEqual([]);
  });
});
