// The tables of an ablation, in the width of a terminal.

import { expect, test } from "vitest";
import type { AblatedCost } from "../../src/measure/ablation.ts";
import { pairEffect, techniqueEffect } from "../../src/measure/ablation.ts";
import { ablateReport } from "../../src/report/ablate_report.ts";
import { htmlPage } from "../../src/report/render/html_page.ts";
import { type AblatedVariant, type Ablation, ablationKind } from "../../src/result/ablation.ts";
import { planOf, softwareOf } from "../support/given.ts";
import { shown } from "../support/shown.ts";

const rounds = [1, 1.2, 0.9, 1.1, 1];

function variant(off: readonly string[], ms: number, activation: number): AblatedVariant {
  return {
    off,
    stepMs: rounds.map((each) => each * ms),
    memory: { weight: 1000, activation },
    wireBytes: 2e6,
    error: 1e-7,
    tolerance: 1e-5,
    training: { loss: 2, lossError: 1e-8, gradientError: 2e-7 },
  };
}

function costOf({ stepMs, wireBytes }: AblatedVariant, memoryBytes: number): AblatedCost {
  return { stepMs, wireBytes, memoryBytes };
}

const names = ["activation-checkpointing", "communication-overlap"] as const;
const variants = [
  variant([], 12, 1000),
  variant([names[0]], 10, 9000),
  variant([names[1]], 15, 1000),
  variant(names, 10, 9000),
];
const costs = variants.map((each, i) => costOf(each, i % 2 === 0 ? 2000 : 10_000));

function ablation(): Ablation {
  const [asItIs, kept, plain, neither] = costs;
  if (!asItIs || !kept || !plain || !neither) throw new Error("four variants");
  const [trades, pays] = [techniqueEffect(asItIs, kept), techniqueEffect(asItIs, plain)];
  const pair = pairEffect(asItIs, plain, kept, neither);
  if (!trades || !pays || !pair) throw new Error("five rounds");
  return {
    kind: ablationKind,
    version: 1,
    name: "training-small",
    work: "",
    date: "2026-01-01T00:00:00.000Z",
    versions: { shardbench: "0", node: "20", webgpu: "0", os: "linux" },
    adapters: softwareOf(2),
    variants,
    techniques: [
      { technique: names[0], state: "measured", ...trades },
      { technique: names[1], state: "measured", ...pays },
      { technique: "mixed-precision", state: "not switched", why: "the workload's dtype is f32" },
      { technique: "async-data-pipeline", state: "same program" },
    ],
    pairs: [{ pair: names, state: "measured", ...pair }],
  };
}

test("a verdict for each technique, with what it rests on", async () => {
  const lines = shown(ablateReport(await planOf("training-small.yaml"), ablation()));
  const text = lines.join("\n");
  expect(text).toMatch(/^activation-checkpointing +1\.2 +1\.2 … 1\.2 +trades$/m);
  expect(text).toContain("better: memory × 0.2; worse: step × 1.2");
  expect(text).toMatch(/^communication-overlap +0\.8 +0\.8 … 0\.8 +pays$/m);
  expect(text).toMatch(/^mixed-precision +not switched$/m);
  expect(text).toContain("the workload's dtype is f32");
  expect(text).toMatch(/^async-data-pipeline +does nothing here$/m);
  expect(text).toMatch(/^checkpointing \+ overlap +0\.8 +0\.8 … 0\.8 +help each other$/m);
  expect(text).toContain("without activation-checkpointing: activation 9 kB instead of 1 kB");
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
});

test("as a page it draws every step with and without each technique", async () => {
  const page = htmlPage(ablateReport(await planOf("training-small.yaml"), ablation()));
  expect(page).toContain("without communication-overlap, step 15: 15 ms");
  expect(page).toContain("</span>without activation-checkpointing</li>");
});

test("a difference that another opening of the ranks may make is not decided, and says so", async () => {
  const step = techniqueEffect(costOf(variant([], 9.7, 0), 1), costOf(variant([], 10, 0), 1));
  if (!step) throw new Error("five rounds");
  const techniques = [{ technique: names[1], state: "measured", ...step } as const];
  const lines = shown(
    ablateReport(await planOf("training-small.yaml"), { ...ablation(), techniques }),
  );
  const text = lines.join(" ").replaceAll(/\s+/g, " ");
  expect(text).toContain("0.97 0.97 … 0.97 not decided ranks opened anew may differ by 5.0 %");
});
