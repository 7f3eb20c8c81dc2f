import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { checkPlan } from "../../src/check/check_plan.ts";
import { readPlan } from "../../src/plan/load.ts";

const files = (await readdir("configs", { recursive: true })).filter((file) =>
  /(?<!schema)\.(json|yaml)$/.test(file),
);
async function check(file: string) {
  const { plan, document, diagnostics } = await readPlan(`configs/${file}`);
  expect(diagnostics).toEqual([]);
  if (plan === undefined) throw new Error(`${file} must load`);
  return { plan, found: checkPlan(plan, document) };
}
function codes(found: { code: string }[]) {
  return found.map(({ code }) => code);
}

test.each(files.filter((file) => !file.includes("original")))("%s is sound", async (file) => {
  const { found } = await check(file);
  expect(found.filter(({ severity }) => severity === "error")).toEqual([]);
});

test("the three-stage pipeline earns the remarks of its report", async () => {
  const { plan, found } = await check("three-stage-pipeline.json");
  expect(plan.hardware.memoryPerGpu).toBe(4096 * 1024 * 4);
  expect(codes(found)).toEqual(
    expect.arrayContaining([
      "memory-unrealistic",
      "utilization-claim-optimistic",
      "single-data-replica",
      "gpu-underused",
      "gpu-count-fits",
      "gpu-ids-valid",
      "communication-members-valid",
      "column-split-correct",
      "row-split-correct",
      "communication-fits-split",
    ]),
  );
});

test("the expert-parallel plan keeps the figures of its report", async () => {
  const { plan, found } = await check("moe-ep3-tp2.json");
  expect(plan.claims.tokensPerSecond).toBe((plan.claims.samplesPerSecond ?? 0) * 1024);
  expect(plan.workload.sequence).toBe(1024);
  expect(codes(found)).toEqual(
    expect.arrayContaining([
      "experts-balanced",
      "memory-claim-leaves-headroom",
      "utilization-claim-plausible",
      "expert-group-matches-degree",
      "tensor-group-matches-degree",
      "claim-confirmed",
      "claims-open",
    ]),
  );
  const layers = plan.stages.flatMap((stage) => stage.layers);
  const attention = layers.find(({ op }) => op === "attention");
  const experts = layers.find(({ op }) => op === "moe");
  expect(attention?.groups).toEqual([[0, 1]]);
  expect(experts).toMatchObject({
    groups: [[0, 1]],
    expertGroups: [[[0], [1], [2]]],
    experts: 63,
  });
});

test("every value that is marked as assumed is there", async () => {
  for (const file of files) {
    expect(codes((await check(file)).found)).not.toContain("assumed-value-missing");
  }
});
