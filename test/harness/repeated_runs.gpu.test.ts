// Runs that are repeated with ranks opened anew.

import { expect, test } from "vitest";
import { runPlan } from "../../src/harness/run_plan.ts";
import type { Progress } from "../../src/harness/run_options.ts";
import { adapterUnderTest, describeOnOneAdapter } from "../support/gpu.ts";
import { plans } from "../support/plans.ts";

describeOnOneAdapter("repeated runs", () => {
  test("each opens its ranks anew, keeps its samples, and is checked", async () => {
    const plan = plans.find(({ name }) => name.startsWith("unequal groups"));
    if (plan === undefined) throw new Error("no such plan");
    const said: Progress[] = [];
    const result = await runPlan(plan, {
      adapter: adapterUnderTest(),
      tune: false,
      runs: 3,
      samples: 4,
      warmup: 1,
      onProgress: (progress) => said.push(progress),
    });
    expect(result.outcome).toEqual({ state: "complete" });
    expect(result.samples.map(({ run }) => run)).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    expect(result.runs).toHaveLength(3);
    expect(result.metrics.stepMs).toMatchObject({ samples: 12, runs: 3 });
    // Steps are counted anew by ranks that were opened anew.
    expect(result.samples[4]?.step).toBe(result.samples[0]?.step);
    expect(result.check?.timed?.steps).toBeGreaterThanOrEqual(3 * 5);
    expect(result.calibration[0]?.ceilings.f32?.after).toHaveLength(3);
    expect(said.every(({ runs }) => runs === 3)).toBe(true);
    const measuring = said.filter(({ phase }) => phase === "measure");
    for (const run of [1, 2, 3]) {
      // Some times a second, and when it begins.
      const done = measuring.flatMap((each) => (each.run === run ? (each.done ?? -1) : []));
      expect(done[0]).toBe(0);
      expect(done).toEqual([...new Set(done)].toSorted((a, b) => a - b));
      expect(done.at(-1)).toBeLessThanOrEqual(4);
    }
  });

  test.runIf(process.platform === "linux")("load by others is a share of the time", async () => {
    const [plan] = plans;
    if (plan === undefined) throw new Error("no plan");
    const { runs } = await runPlan(plan, {
      adapter: adapterUnderTest(),
      tune: false,
      samples: 5,
      warmup: 5,
    });
    const load = runs[0]?.load?.before;
    expect(load?.othersShare).toBeGreaterThanOrEqual(0);
    expect(load?.othersShare).toBeLessThanOrEqual(1);
  });
});
