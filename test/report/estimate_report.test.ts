import { expect, test } from "vitest";
import { parsePlan } from "../../src/plan/load.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { estimatePlan } from "../../src/program/estimate.ts";
import { formatParameters } from "../../src/measure/format.ts";
import { rangesOf, runsOfRanks } from "../../src/program/runs_of_ranks.ts";
import { estimateReport } from "../../src/report/estimate_report.ts";
import { widthOf } from "../../src/report/render/text_width.ts";
import { planOf } from "../support/given.ts";
import { shown } from "../support/shown.ts";

const peaks = { flops: 1e12, bandwidth: 1e11, linkBandwidth: 1e10 };

function large(): Plan {
  const { plan } = parsePlan(
    `
name: large
hardware: { gpus: 64, memoryPerGpu: 80GB }
workload: { batch: 64, microBatches: 4, sequence: 128, dtype: f16 }
model: { layers: 16, hidden: 256, heads: 8, ffn: 1024, gated: true, vocabulary: 1024 }
parallel: { tensor: 4, pipeline: 4, data: 4 }
claims: { samplesPerSecond: 10 }
`,
    "plan.yaml",
  );
  if (plan === undefined) throw new Error("it must load");
  return plan;
}

async function plans() {
  return [await planOf("three-stage-pipeline.json"), await planOf("moe-ep3-tp2.json"), large()];
}

test("an estimate fits 80 columns, with and without a bound", async () => {
  for (const plan of await plans()) {
    const lines = [
      ...shown(estimateReport(plan, estimatePlan(plan, peaks), "as given", ["rotary positions"])),
      ...shown(estimateReport(plan, estimatePlan(plan), "")),
    ];
    expect(lines.filter((line) => widthOf(line) > 80)).toEqual([]);
  }
});

test("it says that every figure is estimated, and what the peaks are", async () => {
  const plan = await planOf("three-stage-pipeline.json");
  const text = shown(estimateReport(plan, estimatePlan(plan, peaks), "as given")).join(" ");
  expect(text).toContain("Every figure is estimated");
  expect(text).toMatch(/peak per GPU as given: 1 TFLOP\/s; memory 100 GB\/s;\s+wire 10 GB\/s/);
});

test("without a peak it says how to give one, and prints no bound", async () => {
  const plan = await planOf("three-stage-pipeline.json");
  const text = shown(estimateReport(plan, estimatePlan(plan), "")).join("\n");
  expect(text).toContain("give --peak-flops");
  expect(text).not.toContain("≥");
});

test("a plan's claim stands beside the bound", () => {
  const text = shown(estimateReport(large(), estimatePlan(large(), peaks), "as given")).join("\n");
  expect(text).toMatch(/claimed +10 samples\/s, \d+\.\d % of the bound/);
});

test("few layers are named, many are told by kind, alike ranks share a line", async () => {
  const few = await planOf("three-stage-pipeline.json");
  expect(shown(estimateReport(few, estimatePlan(few), "")).join("\n")).toContain(
    "embedding/0.linear",
  );
  const text = shown(estimateReport(large(), estimatePlan(large()), "")).join("\n");
  expect(text).toMatch(/^16 × attention /m);
  expect(text).toMatch(/^ 0–15 /m);
});

test("what the program leaves out is named", () => {
  const text = shown(estimateReport(large(), estimatePlan(large()), "", ["rotary positions"])).join(
    "\n",
  );
  expect(text).toContain("not counted, as no layer does it yet: rotary positions");
});

test.each([
  [999, "999"],
  [999_499, "999,499"],
  [1_500_000, "1.5 M"],
  [8_030_261_248, "8.03 B"],
  [671_026_419_200, "671 B"],
])("%i parameters read %s", (count, text) => {
  expect(formatParameters(count)).toBe(text);
});

test("ranks alike and next to each other are one run", () => {
  const items = [1, 1, 2, 1].map((value, rank) => ({ rank, value }));
  const runs = runsOfRanks(items, ({ value }) => String(value));
  expect(runs.map(({ first, last }) => [first, last])).toEqual([
    [0, 1],
    [2, 2],
    [3, 3],
  ]);
});

test.each([
  [[0], "0"],
  [[0, 1], "0, 1"],
  [[0, 1, 2], "0–2"],
  [[0, 1, 2, 5, 7, 8], "0–2, 5, 7, 8"],
  [[1, 0], "1, 0"],
])("%j reads %s", (numbers, text) => {
  expect(rangesOf(numbers)).toBe(text);
});
