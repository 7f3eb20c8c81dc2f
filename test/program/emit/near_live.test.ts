// What activations take that use memory in turn, beside what of them lives at once: no way of sharing takes less.

import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { importPlan } from "../../../src/plan/import/import_plan.ts";
import { readPlan } from "../../../src/plan/load.ts";
import { normalise } from "../../../src/plan/normalise.ts";
import type { Plan } from "../../../src/plan/plan.ts";
import { estimatePlan } from "../../../src/program/estimate.ts";
import { arbitraryDegrees } from "../../support/arbitrary_degrees.ts";
import { arbitraryPlan } from "../../support/arbitrary_plan.ts";
import { planOf } from "../../support/written_plan.ts";

/** On the rank that is worst off. */
function timesLive(plan: Plan): number {
  const { sharedActivations, prefill } = estimatePlan(plan);
  const shared = [...sharedActivations, ...(prefill?.sharedActivations ?? [])];
  return Math.max(
    ...shared.map(({ bytes, liveBytes }) => (liveBytes === 0 ? 1 : bytes / liveBytes)),
  );
}

const files = ["configs", "configs/smoke"].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => /\.(json|yaml)$/.test(name) && name !== "plan.schema.json")
    .map((name) => `${folder}/${name}`),
);

test.each(files)("%s", async (file) => {
  const { plan } = await readPlan(file);
  if (plan === undefined) throw new Error(`${file} is no plan`);
  expect(timesLive(plan)).toBeLessThanOrEqual(1.1);
});

const models = [
  "layers: 32, hidden: 4096, heads: 32, kvHeads: 8, ffn: 14336, gated: true, vocabulary: 128256",
  "layers: 12, hidden: 768, heads: 12, ffn: 3072, norm: layer, vocabulary: 50304",
  "layers: 40, hidden: 5120, heads: 40, ffn: 13824, gated: true, vocabulary: 32000, parallelResidual: shared-norm",
  "layers: 32, hidden: 4096, heads: 32, kvHeads: 8, ffn: 14336, vocabulary: 32000, moe: { experts: 8, topK: 2, ffn: 14336 }",
];

test.each(
  ["inference", "training"].flatMap((mode) =>
    models.flatMap((model) => [1, 4].map((tensor) => [mode, tensor, model] as const)),
  ),
)("%s, tensor %i: %s", (mode, tensor, model) => {
  const ratio = timesLive(
    planOf(`
name: model
hardware: { gpus: ${tensor} }
workload: { mode: ${mode}, batch: 8, sequence: 2048, dtype: f16 }
model: { ${model} }
parallel: { tensor: ${tensor} }
`),
  );
  expect(ratio).toBeLessThanOrEqual(1.1);
});

/** Of which some take more than a buffer that every adapter has. */
test.each([
  ["command-r", 4],
  ["falcon-7b", 1],
  ["gemma-3-27b", 4],
  ["llama4-maverick", 2],
] as const)("%s, tensor %i", async (name, tensor) => {
  const text = await readFile(`test/import/models/${name}.json`, "utf8");
  const { file } = importPlan([{ name: "config.json", text }]);
  if (file === undefined) throw new Error(`${name} is not imported`);
  const { plan } = normalise({
    ...file,
    hardware: { ...file.hardware, gpus: tensor },
    parallel: { tensor },
    workload: { ...file.workload, batch: 8, sequence: 2048 },
  });
  if (plan === undefined) throw new Error(`${name} is no plan`);
  expect(timesLive(plan)).toBeLessThanOrEqual(1.1);
});

test.each([
  ["degrees", arbitraryDegrees()],
  ["stages", arbitraryPlan()],
] as const)("random plans of %s", (_name, plans) => {
  const ratios = fc.sample(plans, { numRuns: 60, seed: 7 }).map(timesLive);
  expect(Math.max(...ratios)).toBeLessThanOrEqual(1.1);
});
