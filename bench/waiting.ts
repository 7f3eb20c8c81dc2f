// What it costs to wait: the CPU time of a rank whose pipeline stage has nothing to do until a slow one is done.

import { expect, test } from "vitest";
import { median } from "../src/measure/statistics.ts";
import { lower } from "../src/program/lower.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { linear, plan } from "../test/support/plans.ts";
import { cpuMsOf } from "./cpu_time.ts";

const width = 1024;
const rows = 2048;
const steps = 3;
/** Of 4.3 GFLOP each: long enough for the rank to fall asleep for good. */
const slowLayers = 24;

const slow = Array.from({ length: slowLayers }, () => linear(width, width, "replicated", [[0]]));
const waiting = plan(
  "one slow stage",
  2,
  [[...slow, linear(width, 8, "replicated", [[0]])], [linear(8, 8, "replicated", [[1]])]],
  { workload: { batch: rows, microBatches: 1, sequence: 1 } },
);

describeOnAdapter("a rank that waits for a slow stage", () => {
  test("takes little of a core", async () => {
    const { choice } = (await testGpu()).report;
    const pool = await openRanks(lower(waiting), [choice, choice]);
    const shares: number[] = [];
    const waits: number[] = [];
    try {
      await pool.step();
      for (let step = 0; step < steps; step++) {
        const before = cpuMsOf(pool.pids.slice(1));
        const { wallMs } = await pool.step();
        waits.push(wallMs);
        shares.push((100 * (cpuMsOf(pool.pids.slice(1)) - before)) / wallMs);
      }
    } finally {
      await pool.close();
    }
    console.log(
      `\n${choice.id}: a rank that waits ${(median(waits) / 1000).toFixed(1)} s for another ` +
        `takes ${median(shares).toFixed(1)} % of a core (median of ${steps} steps, its own work included)\n`,
    );
    expect(shares).toHaveLength(steps);
  });
});
