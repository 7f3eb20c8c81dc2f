// Many steps of a small plan, and whether anything grows: bytes on the GPU, heap, resident memory and handles
// of the ranks and of the coordinator. SHARDBENCH_SOAK_STEPS sets how many; default 1,000.

import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { lower } from "../src/program/lower.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import { takeMemory } from "../src/runtime/rank_memory.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { linear, mlp, moe, plan } from "../test/support/plans.ts";

const steps = Number(process.env["SHARDBENCH_SOAK_STEPS"] ?? 1000);
const readings = 20;
/** Until here buffers of Node and of the driver find their size, and the hot code is compiled. */
const settled = 6;
// From the first half of the readings after that to the second, by the least of each: what is under
// way adds to some, a leak to all.
const allowedHeapGrowth = 1.02;
/** Allocators keep some of what was freed. */
const allowedResidentGrowth = 1.05;
const timeoutMs = 40 * 60_000;

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

/** Of every process together. */
interface Reading {
  readonly step: number;
  readonly gpuBytes: number;
  readonly heapBytes: number;
  readonly residentBytes: number;
  /** Open files. */
  readonly handles: number;
}

const titles = ["step", "GPU bytes", "heap MB", "resident MB", "handles", "ms a step"];

const lineOf = (cells: readonly (string | number)[]): string =>
  cells.map((cell, i) => String(cell).padStart((titles[i]?.length ?? 0) + 2)).join("");

const handlesOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);

describeOnAdapter("soak", () => {
  test.skipIf(process.platform !== "linux")(
    `${steps} steps leave everything flat`,
    async () => {
      const { choice } = (await testGpu()).report;
      const program = lower(small);
      const pool = await openRanks(
        program,
        program.ranks.map(() => choice),
        { pinToCores: availableParallelism() >= program.ranks.length },
      );
      const pids = [process.pid, ...pool.pids.flatMap((pid) => pid ?? [])];
      const read = async (step: number): Promise<Reading> => {
        const held = [takeMemory(0), ...(await pool.memory())];
        return {
          step,
          gpuBytes: sum(held.map(({ gpuBytes }) => gpuBytes)),
          heapBytes: sum(held.map(({ heapBytes }) => heapBytes)),
          residentBytes: sum(held.map(({ residentBytes }) => residentBytes)),
          handles: sum(pids.map(handlesOf)),
        };
      };
      const found: Reading[] = [];
      process.stdout.write(
        `\n${choice.id}, ${pids.length} processes together\n${lineOf(titles)}\n`,
      );
      try {
        const interval = Math.ceil(steps / readings);
        let begin = performance.now();
        for (let step = 1; step <= steps; step += 1) {
          await pool.step();
          if (step % interval !== 0) continue;
          const msAStep = (performance.now() - begin) / interval;
          const now = await read(step);
          found.push(now);
          const megabytes = [now.heapBytes, now.residentBytes].map((bytes) =>
            (bytes / 1e6).toFixed(2),
          );
          process.stdout.write(
            `${lineOf([step, now.gpuBytes, ...megabytes, now.handles, msAStep.toFixed(2)])}\n`,
          );
          begin = performance.now();
        }
      } finally {
        await pool.close();
      }
      const counted = found.slice(settled);
      const half = Math.floor(counted.length / 2);
      const growth = (of: (reading: Reading) => number): number =>
        Math.min(...counted.slice(half).map(of)) / Math.min(...counted.slice(0, half).map(of));
      expect(growth(({ gpuBytes }) => gpuBytes)).toBe(1);
      expect(growth(({ handles }) => handles)).toBeLessThanOrEqual(1);
      expect(growth(({ heapBytes }) => heapBytes)).toBeLessThanOrEqual(allowedHeapGrowth);
      expect(growth(({ residentBytes }) => residentBytes)).toBeLessThanOrEqual(
        allowedResidentGrowth,
      );
    },
    timeoutMs,
  );
});
