// Many steps of a small plan, and whether anything grows: bytes on the GPU, memory and handles of the ranks
// and of the coordinator. SHARDBENCH_SOAK_STEPS sets how many; default 1,000.

import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { lower } from "../src/program/lower.ts";
import { table } from "../src/report/table.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { linear, mlp, moe, plan } from "../test/support/plans.ts";

const steps = Number(process.env["SHARDBENCH_SOAK_STEPS"] ?? 1000);
const readings = 10;
/** Until here buffers of Node and of the driver find their size. */
const settled = 3;
/** Resident memory breathes with the collector. */
const allowedGrowth = 1.05;

const group = [[0, 1]];
const small = plan(
  "soak",
  2,
  [
    [linear(12, 16, "column", group, "relu"), linear(16, 12, "row", group)],
    [mlp(12, 8, "silu", group), moe(12, 4, 2, group, [0, 1])],
  ],
  {
    optimizations: ["communication-overlap"],
    workload: { batch: 1, microBatches: 1, sequence: 64 },
  },
);

interface Reading {
  readonly step: number;
  readonly gpuBytes: number;
  /** Resident bytes and open files of every process together. */
  readonly residentBytes: number;
  readonly handles: number;
}

const residentOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;

const handlesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

describeOnAdapter("soak", () => {
  test.skipIf(process.platform !== "linux")(`${steps} steps leave everything flat`, async () => {
    const { choice } = (await testGpu()).report;
    const program = lower(small);
    const pool = await openRanks(
      program,
      program.ranks.map(() => choice),
      { pinToCores: availableParallelism() >= program.ranks.length },
    );
    const pids = [process.pid, ...pool.pids.flatMap((pid) => pid ?? [])];
    const found: Reading[] = [];
    const begin = performance.now();
    try {
      for (let step = 1; step <= steps; step += 1) {
        await pool.step();
        if (step % Math.ceil(steps / readings) !== 0) continue;
        found.push({
          step,
          gpuBytes: sum(pool.peakBytes),
          residentBytes: sum(pids.map(residentOf)),
          handles: sum(pids.map(handlesOf)),
        });
      }
    } finally {
      await pool.close();
    }
    const seconds = (performance.now() - begin) / 1000;
    const rows = found.map(({ step, gpuBytes, residentBytes, handles }) => ({
      cells: [step, gpuBytes, (residentBytes / 1e6).toFixed(1), handles].map(String),
    }));
    console.log(
      `\n${choice.id}, ${pids.length} processes, ${((1000 * seconds) / steps).toFixed(2)} ms a step\n` +
        table(
          [
            { title: "step" },
            { title: "GPU bytes" },
            { title: "resident MB" },
            { title: "handles" },
          ],
          rows,
        ).join("\n"),
    );
    const [first, ...later] = found.slice(settled);
    const last = later.at(-1);
    if (first === undefined || last === undefined) throw new Error("too few readings");
    expect(last.gpuBytes).toBe(first.gpuBytes);
    expect(last.handles).toBeLessThanOrEqual(first.handles);
    expect(last.residentBytes).toBeLessThanOrEqual(allowedGrowth * first.residentBytes);
  });
});
