// The tables of scaling, in the width of a terminal.

import { expect, test } from "vitest";
import { scalingReport } from "../../src/report/scaling_report.ts";
import { htmlPage } from "../../src/report/render/html_page.ts";
import { type Scaling, scalingKind } from "../../src/result/scaling.ts";
import { measured, planOf, softwareOf } from "../support/given.ts";
import { shown } from "../support/shown.ts";

const scaling: Scaling = {
  kind: scalingKind,
  version: 1,
  work: "",
  name: "three-stage-pipeline",
  date: "2026-01-01T00:00:00.000Z",
  versions: { shardbench: "0", node: "20", webgpu: "0", os: "linux" },
  adapters: softwareOf(3),
  sizes: [
    { kind: "strong", gpus: 2, state: "refused", why: "nothing is said of two" },
    {
      kind: "strong",
      gpus: 3,
      state: "timed",
      split: "TP 2 EP 3",
      batch: 256,
      turns: 7,
      turnMs: [],
      aloneMs: measured(628, "ms", [600, 650]),
      stepMs: measured(298, "ms", [280, 310]),
      efficiency: { ...measured(0.702, "share", [0.65, 0.75]), provenance: "projected" },
      loss: { compute: -0.086, communication: 0.033, imbalance: 0.25, waiting: 0.083, host: 0.018 },
    },
  ],
  verdicts: [],
};

test("efficiency with its interval, where the rest went, and which sizes do not run", async () => {
  const lines = shown(scalingReport(await planOf("three-stage-pipeline.json"), scaling));
  const text = lines.join("\n");
  expect(text).toMatch(/^ +3 +TP 2 EP 3 +256 +628 ms +298 ms +70\.2 % +65\.0 … 75\.0 %$/m);
  expect(text).toContain("T₁ ÷ (N · T_N); projected, at least 7 turns with one GPU");
  expect(text.replaceAll(/\s+/g, " ")).toContain("no measurement of N GPUs");
  expect(text).toContain("2 GPUs: not run, nothing is said of two");
  expect(text).toMatch(/^strong +3 +-8\.6 % +3\.3 % +25\.0 % +8\.3 % +1\.8 %$/m);
  expect(text).not.toContain("Weak scaling");
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
});

test("as a page it draws the efficiency of each size", async () => {
  const page = htmlPage(scalingReport(await planOf("three-stage-pipeline.json"), scaling));
  expect(page).toContain("3 GPUs: 70.2 %");
  expect(page).toContain("<svg");
});

test("says of each size whether it was measured or projected", async () => {
  const [, projected] = scaling.sizes;
  if (projected?.state !== "timed") throw new Error("a size must be timed");
  const efficiency = measured(0.9, "share", [0.85, 0.95]);
  const sizes = [{ ...projected, gpus: 2, efficiency }, projected];
  const lines = shown(
    scalingReport(await planOf("three-stage-pipeline.json"), { ...scaling, sizes }),
  );
  const text = lines.join(" ").replaceAll(/\s+/g, " ");
  expect(text).toContain("measured on 2 GPUs, projected on 3, at least 7 turns");
  expect(text).toContain("no measurement of N GPUs");
});
