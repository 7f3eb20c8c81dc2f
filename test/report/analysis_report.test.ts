import { expect, test } from "vitest";
import { checkPlan } from "../../src/check/check_plan.ts";
import { parsePlan, readPlan, type LoadResult } from "../../src/plan/load.ts";
import { impactOf } from "../../src/report/sections/finding_impact.ts";
import { titleOf } from "../../src/check/aspects/finding_titles.ts";
import { analysisReport } from "../../src/report/analysis_report.ts";
import { markdownLines } from "../../src/report/render/markdown.ts";

function inspected({ plan, document, diagnostics }: LoadResult) {
  return plan === undefined
    ? { document, diagnostics }
    : { plan, document, diagnostics: [...diagnostics, ...checkPlan(plan, document)] };
}

async function reportOf(file: string): Promise<string> {
  return markdownLines(analysisReport(inspected(await readPlan(file)))).join("\n");
}

function sectionsOf(report: string): string[] {
  return report.split("\n").flatMap((line) => (line.startsWith("## ") ? [line.slice(3)] : []));
}

test("a sound plan: the sections in the order that people write them", async () => {
  const report = await reportOf("configs/three-stage-pipeline.json");
  expect(sectionsOf(report)).toEqual([
    "Executive Summary",
    "Compatibility Analysis",
    "Performance Optimization Assessment",
    "Detailed Analysis",
    "Performance Claims",
    "Recommendations for Improvement",
    "Conclusion",
  ]);
  expect(report).toContain("is **COMPATIBLE**");
  expect(report).toContain("**Status: VALID with Optimizations Needed**");
  expect(report).toContain("embed_to_expert: all-gather from [0, 1] to [1, 2]");
  expect(report).toContain(
    "GPU 1: embedding/0.linear + expert/0.linear (Heavy, 50.0 % of the FLOPs)",
  );
});

test("a refused plan that can be mended: its errors, both configurations, and the mended plan's analysis", async () => {
  const report = await reportOf("configs/moe-ep3-tp2.original.json");
  expect(sectionsOf(report)).toContain("Issues Found in the Original Plan");
  expect(sectionsOf(report)).toContain("Compatibility Analysis of the Corrected Plan");
  expect(report).toContain("**Tensor Parallelism Inconsistency**: tensor parallelism of 2 needs");
  expect(report).toMatch(/Original Problematic[^#]*"gpu_2"/);
  expect(report).toMatch(/Corrected Configuration[^#]*"gpu_0_gpu_1"/);
  expect(report).toContain("**Status: INVALID as written, VALID once corrected**");
  expect(report).toContain("GPU 2: idle during attention, mlp, router of blocks");
});

test("its mended plan: nothing of the original's errors", async () => {
  const report = await reportOf("configs/moe-ep3-tp2.json");
  expect(report).not.toContain("Original");
  expect(report).toContain("63 experts over 3 GPUs: 21 per GPU, variance 0");
});

test("every finding is there with its code; what holds is ticked", async () => {
  const given = inspected(await readPlan("configs/three-stage-pipeline.json"));
  const report = markdownLines(analysisReport(given)).join("\n");
  // The load has a section of its own.
  const codes = given.diagnostics.map(({ code }) => code).filter((code) => code !== "load-per-gpu");
  expect(codes.filter((code) => !report.includes(`\`${code}\``))).toEqual([]);
  expect(report).toContain("- ✅ **GPU Count**: 3 of 3 GPUs are used [`gpu-count-fits`]");
});

test("every opportunity has its issue, impact and recommendation", async () => {
  const report = await reportOf("configs/three-stage-pipeline.json");
  const count = (text: string) => report.split(text).length - 1;
  expect(count("**Issue**")).toBeGreaterThan(3);
  expect(count("**Impact**")).toBe(count("**Issue**"));
  expect(count("**Recommendation**")).toBe(count("**Issue**"));
  expect(report).toContain("**Impact**: the busiest GPU has 1.5 times the average FLOPs");
});

test("a file that is no plan gets its errors and the status", () => {
  const report = markdownLines(
    analysisReport(inspected(parsePlan("name: x\nstages: 3\n", "plan.yaml"))),
  ).join("\n");
  expect(report).toContain("**NOT COMPATIBLE**");
  expect(report).toContain("**Status: INVALID**");
  expect(report).not.toContain("## Detailed Analysis");
});

test("a plan that no layer here can run is analysed all the same", () => {
  const text = `
name: linear
hardware: { gpus: 1 }
workload: { batch: 1, sequence: 4 }
model: { layers: 2, hidden: 16, heads: 4, otherMixers: [{ layers: 1, parameters: 64 }] }
`;
  const report = markdownLines(analysisReport(inspected(parsePlan(text, "plan.yaml")))).join("\n");
  expect(report).toContain("`layer-not-runnable`");
  expect(report).toContain("### Stage Configuration");
});

test("a code without a title is read as it is", () => {
  const finding = { severity: "warning", path: [], message: "" } as const;
  expect(titleOf({ ...finding, code: "gpu-not-there" })).toBe("gpu-not-there");
  expect(titleOf({ ...finding, code: "gpu-count-fits" })).toBe("GPU Count");
});

test.each([
  ["error", "model", "the check refuses the plan until it is mended"],
  ["warning", "claims", "the claim cannot be believed as it stands; the plan itself runs"],
  ["warning", "model", "the plan runs, with this left as it is"],
] as const)("without a figure, a %s on %s says what it means", (severity, root, impact) => {
  const finding = { code: "some-rule", severity, path: [root], message: "" };
  expect(impactOf(finding, undefined)).toBe(impact);
});

test("figures of the hardware stand with their source, assumed ones marked", () => {
  const load = parsePlan(
    JSON.stringify({
      name: "named",
      hardware: { gpus: 2, gpu: "h100-sxm5", linkBandwidth: "50GB/s" },
      workload: { batch: 2, sequence: 8, dtype: "f16" },
      model: { layers: 1, hidden: 32, heads: 4 },
      parallel: { tensor: 2 },
      assumed: ["hardware.gpu"],
    }),
    "plan.json",
  );
  const datasheet = "NVIDIA H100 architecture white paper, assumed";
  const report = markdownLines(analysisReport(inspected(load)));
  const table = report.slice(
    report.indexOf("### Hardware"),
    report.indexOf("### Stage Configuration"),
  );
  expect(table).toEqual([
    "### Hardware",
    "",
    "| 2 × H100-SXM, each | | said by |",
    "|---|---:|---|",
    `| memory | 80 GB | ${datasheet} |`,
    `| peak of f16 | 989 TFLOP/s | ${datasheet} |`,
    `| memory bandwidth | 3.35 TB/s | ${datasheet} |`,
    "| link, one direction | 50 GB/s | plan |",
    "",
  ]);
});

test("a plan that says nothing of its GPUs has no table of them", () => {
  const silent = { name: "silent", hardware: { gpus: 1 }, workload: { batch: 1 } };
  const model = { layers: 1, hidden: 32, heads: 4 };
  const load = parsePlan(JSON.stringify({ ...silent, model }), "plan.json");
  expect(markdownLines(analysisReport(inspected(load)))).not.toContain("### Hardware");
});
