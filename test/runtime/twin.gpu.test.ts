// A program and the same without overlap on the same ranks.

import { expect, test } from "vitest";
import { openOverlapRounds, withoutOverlap } from "../../src/harness/overlap_effect.ts";
import { checkTimedSteps } from "../../src/harness/timed_steps.ts";
import { lower } from "../../src/program/lower.ts";
import { openRanks } from "../../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { linear, plan } from "../support/plans.ts";

const overlapping = plan("twin", 2, [[linear(64, 128, "row", [[0, 1]])]], {
  optimizations: ["communication-overlap"],
  workload: { batch: 1, microBatches: 1, sequence: 512 },
});

describeOnAdapter("a twin", () => {
  test("takes turns with the program, whose results and memory stay what they are", async () => {
    const { choice } = (await testGpu()).report;
    const program = lower(overlapping);
    const twin = withoutOverlap(overlapping, program);
    if (twin === undefined) throw new Error("nothing overlaps");
    const pool = await openRanks(program, [choice, choice], { twins: [twin] });
    try {
      const observed = (await pool.observe()).flatMap((rank) => rank.observed);
      expect(await pool.openTwin(twin)).toBe(true);
      const rounds = await openOverlapRounds(program, twin, pool);
      for (let step = 0; step < 3; step += 1) {
        await rounds.before();
        rounds.timed(await pool.step());
      }
      const digests = await pool.askAll("digests", {});
      expect(checkTimedSteps(observed, digests, 3)).toEqual({ steps: 3, microBatches: 1 });
      expect(pool.peakBytes).toEqual(pool.allocatedBytes);

      const traces = [await pool.stepTwin(twin), await pool.step()];
      const ran = traces.map(({ ranks }) => ranks.map(({ host }) => host?.instructions));
      expect(ran).toEqual(
        [twin, program].map(({ ranks }) => ranks.map(({ instructions }) => instructions.length)),
      );
      const effect = await rounds.finish(6);
      expect(effect?.rounds).toHaveLength(6);
      expect(effect?.stepRatio.value).toBeGreaterThan(0);
    } finally {
      await pool.close();
    }
  });

  test("there is none of a plan in which nothing overlaps", () => {
    const plain = { ...overlapping, optimizations: [] };
    expect(withoutOverlap(plain, lower(plain))).toBeUndefined();
  });
});
