// Many steps of a small plan, and whether anything grows: bytes on the GPU, heap, resident memory and handles
// of the ranks and of the coordinator; and how long the whole run takes beside its timed steps.
// SHARDBENCH_SOAK_STEPS sets how many steps; default 1,000.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lower } from "../src/program/lower.ts";
import { openRanks } from "../src/runtime/coordinator.ts";
import { takeMemory } from "../src/runtime/rank_memory.ts";
import { readResult } from "../src/harness/earlier_result.ts";
import { readPlan } from "../src/plan/load.ts";
import type { Plan } from "../src/plan/plan.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";

const steps = Number(process.env["SHARDBENCH_SOAK_STEPS"] ?? 1000);
/** Many: how far a heap is filled depends on when it was last collected, so that only the least of some counts. */
const readings = 200;
const printedReadings = 20;
/** Until here buffers of Node and of the driver find their size, and the hot code is compiled. */
const settled = 60;
// From the first half of the readings after that to the second, by the least of each: what is under
// way adds to some, a leak to all.
const allowedHeapGrowth = 1.02;
/** Allocators keep some of what was freed. */
const allowedResidentGrowth = 1.05;
const timeoutMs = 40 * 60_000;
const planFile = "configs/smoke/dense-tp2.yaml";

async function soakPlan(): Promise<Plan> {
  const { plan } = await readPlan(planFile);
  if (plan === undefined) throw new Error(`${planFile} is no plan`);
  return plan;
}

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

function lineOf(cells: readonly (string | number)[]): string {
  return cells.map((cell, i) => String(cell).padStart((titles[i]?.length ?? 0) + 2)).join("");
}

function handlesOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}

describeOnAdapter("soak", () => {
  test.skipIf(process.platform !== "linux")(
    `${steps} steps leave everything flat`,
    async () => {
      const { choice } = (await testGpu()).report;
      const program = lower(await soakPlan());
      const pool = await openRanks(
        program,
        program.ranks.map(() => choice),
        { pinToCores: availableParallelism() >= program.ranks.length },
      );
      const pids = [process.pid, ...pool.pids.flatMap((pid) => pid ?? [])];
      const read = async (step: number): Promise<Reading> => {
        const held = [takeMemory(0), ...(await pool.askAll("memory", {}))];
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
        let begun = 0;
        for (let step = 1; step <= steps; step += 1) {
          await pool.step();
          if (step % interval !== 0) continue;
          const now = await read(step);
          found.push(now);
          if (found.length % (readings / printedReadings) !== 0) continue;
          const msAStep = (performance.now() - begin) / (step - begun);
          const megabytes = [now.heapBytes, now.residentBytes].map((bytes) =>
            (bytes / 1e6).toFixed(2),
          );
          process.stdout.write(
            `${lineOf([step, now.gpuBytes, ...megabytes, now.handles, msAStep.toFixed(2)])}\n`,
          );
          begin = performance.now();
          begun = step;
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

  test(
    `a run of ${steps} samples beside its steps`,
    async () => {
      const { choice } = (await testGpu()).report;
      const folder = mkdtempSync(join(tmpdir(), "shardbench-soak-"));
      try {
        const file = join(folder, "result.json");
        const pin = availableParallelism() >= 2 ? ["--pin"] : [];
        const options = ["--adapter", choice.id, "--no-tune", "--samples", String(steps), ...pin];
        const begin = performance.now();
        const { status, stderr } = spawnSync(
          process.execPath,
          ["dist/cli/main.js", "run", planFile, ...options, "-o", file],
          { encoding: "utf8", maxBuffer: 2 ** 28 },
        );
        const wholeMs = performance.now() - begin;
        if (status !== 0) throw new Error(`the run ended with ${status}: ${stderr}`);
        const { samples } = await readResult(file, await soakPlan());
        const stepsMs = sum(samples.map(({ wallMs }) => wallMs));
        console.table({
          samples: samples.length,
          "sum of steps, s": (stepsMs / 1000).toFixed(1),
          "whole run, s": (wholeMs / 1000).toFixed(1),
          "whole run ÷ sum of steps": (wholeMs / stepsMs).toFixed(2),
          "result file, MB": (statSync(file).size / 1e6).toFixed(2),
        });
        expect(samples).toHaveLength(steps);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
    timeoutMs,
  );
});
