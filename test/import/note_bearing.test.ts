import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { importPlan } from "../../src/plan/import/import_plan.ts";
import { bearingOf, notesThatBear } from "../../src/plan/import/note_bearing.ts";
import { judgeClaims } from "../../src/claims/judge.ts";
import { parsePlan } from "../../src/plan/load.ts";
import { estimatePlan } from "../../src/program/estimate.ts";

test.each([
  ["bf16-as-f16", "none"],
  ["keys-without-bearing", "none"],
  ["vocabulary-padded", "none"],
  ["mlp-activation-left-out", "speed"],
  ["mlp-activation-not-runnable", "speed"],
  ["enforce-eager-not-expressible", "speed"],
  ["gpu-memory-utilization-not-expressible", "memory"],
  ["biases-left-out", "both"],
  ["prediction-layers-left-out", "both"],
  ["quantization-not-expressible", "both"],
  ["flag-not-understood", "both"],
  ["something-new-left-out", "both"],
  ["toString", "both"],
  ["constructor-left-out", "both"],
])("the note %s bears on %s", (code, bearing) => {
  expect(bearingOf(code)).toBe(bearing);
});

test("a plan that is read again still says what its import left out", async () => {
  const name = "test/import/fixtures/deepseek-v3.json";
  const text = await readFile(name, "utf8");
  const imported = importPlan([{ name, text }], { runnable: true });
  const { plan } = parsePlan(imported.text ?? "", "plan.json");
  if (plan === undefined) throw new Error("the plan was not read");
  const ofPrecision = expect.objectContaining({ code: "bf16-as-f16" }) as unknown;
  expect(plan.notes).toEqual([...(imported.file?.notes ?? []), ofPrecision]);
  const codes = (on: "speed" | "memory") => notesThatBear(plan, on).map(({ code }) => code);
  expect(codes("speed")).toContain("prediction-layers-left-out");
  expect(codes("memory")).toContain("prediction-layers-left-out");
  expect(codes("speed")).not.toContain("bf16-as-f16");
});

test("a plan without notes has none that bear", () => {
  expect(notesThatBear({ notes: [] }, "speed")).toEqual([]);
});

test("blocks of quantized weights bear on figures, whoever wrote the plan", () => {
  const written = parsePlan(
    `
name: quantized
hardware: { gpus: 1, memoryPerGpu: 1GB, memoryBandwidth: 1TB/s }
workload: { batch: 1, sequence: 1, dtype: f16 }
model: { layers: 1, hidden: 16384, heads: 32, quantizationBlock: { input: 128, output: 128 } }
claims: { tokensPerSecond: 240, memoryUtilization: 0.99 }
`,
    "plan.yaml",
  );
  const { plan } = written;
  if (plan?.model === undefined) throw new Error("the plan was not read");
  const { quantizationBlock: _, ...model } = plan.model;
  for (const on of ["speed", "memory"] as const) {
    expect(notesThatBear(plan, on)).toMatchObject([{ code: "quantization-not-expressible" }]);
    expect(notesThatBear({ notes: plan.notes }, on)).toEqual([]);
  }
  for (const [each, judgement] of [
    [plan, "untestable"],
    [{ ...plan, model }, "refuted"],
  ] as const) {
    const verdicts = judgeClaims({ plan: each, estimate: estimatePlan(each) });
    expect(verdicts.map((verdict) => verdict.judgement)).toEqual([judgement, judgement]);
  }
});
