// Tuning as part of a run: what is found out is used, checked with the whole plan, kept, and not done again.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RunOptions } from "../../src/harness/run_options.ts";
import { runPlan } from "../../src/harness/run_plan.ts";
import type { RunResult } from "../../src/result/result.ts";
import { adapterUnderTest, describeOnAdapter } from "../support/gpu.ts";
import { linear, plan } from "../support/plans.ts";

// One product and one sum on two ranks, which share what is found out.
const rows = plan("rows", 2, [[linear(40, 24, "row", [[0, 1]])]]);
const adapter = adapterUnderTest();

async function kernelsOf(options: RunOptions): Promise<RunResult["kernels"]> {
  const result = await runPlan(rows, { adapter, numericsOnly: true, ...options });
  expect(result.outcome).toEqual({ state: "complete" });
  expect(result.check?.error).toBeLessThanOrEqual(1e-5);
  return result.kernels;
}

describeOnAdapter("a tuned run", () => {
  let folder = "";
  const before = process.env["XDG_CACHE_HOME"];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "shardbench-tuned-"));
    process.env["XDG_CACHE_HOME"] = folder;
  });
  afterAll(async () => {
    if (before === undefined) delete process.env["XDG_CACHE_HOME"];
    else process.env["XDG_CACHE_HOME"] = before;
    await rm(folder, { recursive: true });
  });

  test("tries every variant once for all ranks, and the next run takes the winners without trying", async () => {
    const tuned = await kernelsOf({ tune: Infinity });
    const product = tuned.find(({ kernel }) => kernel === "matmul");
    expect(product?.ranks).toEqual([0, 1]);
    expect(product?.tried).toHaveLength(product?.variants ?? 0);
    expect(tuned.map(({ reason }) => reason)).not.toContain("untuned");

    const again = await kernelsOf({ tune: Infinity });
    // The very same times: nothing was measured again.
    expect(again).toEqual(
      tuned.map((kernel) => ({
        ...kernel,
        reason: kernel.reason === "tuned" ? "cached" : kernel.reason,
      })),
    );
  });

  test.each([
    ["that is not to tune", { tune: false }],
    ["whose speed nobody asks for", {}],
  ] satisfies [string, RunOptions][])(
    "a run %s takes the usual variants, whatever was found out",
    async (_, options) => {
      for (const { reason, variant, expected, variants } of await kernelsOf(options)) {
        expect(reason).toBe(variants === 1 ? "only" : "untuned");
        expect(variant).toBe(expected);
      }
    },
  );
});
