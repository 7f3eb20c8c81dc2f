import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { readPlan } from "../../src/plan/load.ts";

const files = (await readdir("configs", { recursive: true })).filter((file) =>
  /(?<!schema)\.(json|yaml)$/.test(file),
);

test.each(files)("%s loads without a fault of form", async (file) => {
  const { plan, diagnostics } = await readPlan(`configs/${file}`);
  expect(diagnostics).toEqual([]);
  expect(plan?.stages.length).toBeGreaterThan(0);
});
