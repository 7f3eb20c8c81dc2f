// What the test of separate GPUs sees of two ranks. Whether it can tell depends on what else the machine does: the
// bench of separation shows that.

import { expect, test } from "vitest";
import { testSeparation } from "../../src/harness/separate_adapters.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { openIdleRanks } from "../support/idle_ranks.ts";

const candidates = [
  { id: "one", rank: 0 },
  { id: "other", rank: 1 },
];

describeOnAdapter("two ranks on one GPU", () => {
  test("are at work alone and together, and leave no memory behind", async () => {
    const { choice } = (await testGpu()).report;
    const pool = await openIdleRanks([choice, choice]);
    const before = await pool.askAll("memory", {});
    try {
      const tested = await testSeparation(pool, candidates);
      expect(tested.together).toHaveLength(3);
      expect(tested.alone.map(({ length }) => length)).toEqual([4, 4]);
      const turns = tested.together.flat();
      expect(turns.filter(({ startMs, endMs }) => endMs <= startMs)).toEqual([]);
      expect(tested.together.map((round) => round.map(({ adapter }) => adapter))).toEqual(
        Array.from({ length: 3 }, () => ["one", "other"]),
      );
      const after = await pool.askAll("memory", {});
      expect(after.map(({ gpuBytes }) => gpuBytes)).toEqual(before.map(({ gpuBytes }) => gpuBytes));
    } finally {
      await pool.close();
    }
  });
});
