import { describe, expect, test } from "vitest";
import { kernelDifferences, timeDifference } from "../../src/measure/difference.ts";
import type { Figure } from "../../src/measure/figure.ts";
import type { RunResult } from "../../src/result/result.ts";
import { whyNotComparable } from "../../src/result/comparable.ts";
import { diffReport } from "../../src/report/diff_report.ts";
import { htmlPage } from "../../src/report/render/html_page.ts";
import { planOf } from "../support/given.ts";
import { runOf } from "../support/made_up_run.ts";
import { shown } from "../support/shown.ts";

function time(value: number, interval?: readonly [number, number]): Figure {
  return {
    value,
    unit: "ms",
    samples: 9,
    provenance: "measured",
    conditions: [],
    ...(interval === undefined ? {} : { interval }),
  };
}

describe("two times", () => {
  test.each([
    ["faster", time(10, [9.5, 10.5]), time(8, [7.5, 9.4])],
    // The same by less than a hair: the intervals touch.
    ["ambiguous", time(10, [9.5, 10.5]), time(8, [7.5, 9.5])],
    ["slower", time(8, [7.5, 9.4]), time(10, [9.5, 10.5])],
    ["same", time(10, [9.9, 10.1]), time(10.1, [10, 10.2])],
    ["ambiguous", time(10, [9, 11]), time(10, [9, 11])],
    ["ambiguous", time(10), time(5, [4.9, 5.1])],
    // A difference of a hundredth, however surely it is one, is none.
    ["same", time(10, [9.99, 10.01]), time(10.1, [10.09, 10.11])],
  ])("%s", (change, before, after) => {
    expect(timeDifference(before, after).change).toBe(change);
  });

  test("their ratio is as uncertain as both", () => {
    const { ratio, interval } = timeDifference(time(10, [8, 12]), time(20, [18, 24]));
    expect(ratio).toBe(2);
    expect(interval).toEqual([1.5, 3]);
  });
});

const plan = await planOf("three-stage-pipeline.json");
const run = runOf(plan);

function slower(factor: number): RunResult {
  const scale = (figure: Figure): Figure => ({
    ...figure,
    value: factor * figure.value,
    ...(figure.interval === undefined
      ? {}
      : { interval: [factor * figure.interval[0], factor * figure.interval[1]] as const }),
  });
  const { metrics } = run;
  const kernels = metrics.kernels.map((kernel, i) =>
    i === 1 ? { ...kernel, callMs: scale(kernel.callMs) } : kernel,
  );
  return {
    ...run,
    metrics: { ...metrics, kernels, ...(metrics.stepMs && { stepMs: scale(metrics.stepMs) }) },
  };
}

test("the kernel that explains a difference comes first, with the time of all its calls", () => {
  const [first, second] = kernelDifferences(run.metrics, slower(3).metrics);
  const kernel = run.metrics.kernels[1];
  expect(first?.name).toContain(kernel?.kernel);
  expect(first?.moreMs).toBeCloseTo(2 * (kernel?.callMs.value ?? 0) * (kernel?.uses ?? 0), 9);
  expect(second?.moreMs).toBe(0);
});

test("a report of both says which is faster, and holds 80 columns", () => {
  const lines = shown(diffReport(plan, run, slower(3)));
  expect(lines).toContain("The step is slower: 3× of the time before.");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(shown(diffReport(plan, slower(3), run))).toContain(
    "The step is faster: 0.333× of the time before.",
  );
});

test("a page shows the steps of both", () => {
  const page = htmlPage(diffReport(plan, run, slower(3)));
  expect(page).toContain("</span>after</li>");
  expect(page).not.toContain("[object Object]");
});

describe("results are compared only where", () => {
  test("control: nothing differs", () => {
    expect(whyNotComparable(run, run)).toEqual([]);
  });

  test("control: a result of an earlier version does not say which cores it had", () => {
    const { cpu: _, ...versions } = run.versions;
    expect(whyNotComparable(run, { ...run, versions })).toEqual([]);
    expect(whyNotComparable({ ...run, versions }, run)).toEqual([]);
  });

  test.each<[string, Partial<RunResult>, string]>([
    ["the work is the same", { plan: { ...run.plan, workHash: "x" } }, "other work"],
    ["versions are", { versions: { ...run.versions, node: "22.0.0" } }, "node is 20.20.0 in one"],
    [
      "cores are",
      { versions: { ...run.versions, cpu: "8 × Zen" } },
      "cpu is 2 × Xeon in one and 8 × Zen in the other",
    ],
    [
      "adapters are",
      { adapters: run.adapters.map((each) => ({ ...each, driver: "2" })) },
      "rank 0's adapter differs in driver",
    ],
    ["links are", { link: { latencyMs: 1 } }, "links are emulated otherwise"],
    ["weights and input are", { notes: ["weights are those of x"] }, "weights are those of x"],
    ["both were timed", { samples: [] }, "has timed no step"],
  ])("%s", (_, change, reason) => {
    expect(whyNotComparable(run, { ...run, ...change }).join("; ")).toContain(reason);
  });
});
