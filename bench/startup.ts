// What `shardbench check` takes beside `node -e 0`, which no program for Node can go below: processes in turn, the
// CPU time of each over all its threads, and the ratio within each pair.

import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { median } from "../src/measure/statistics.ts";

const pairs = 15;

function cpuMs(...parameters: readonly string[]): number {
  const { status, output, error } = spawnSync(
    process.execPath,
    ["-r", "./bench/cpu_of_process.cjs", ...parameters],
    { stdio: ["ignore", "pipe", "pipe", "pipe"], encoding: "utf8" },
  );
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`node ${parameters.join(" ")} ended with ${status}`);
  return Number(output[3]) / 1000;
}

test("a check beside a program that does nothing", () => {
  const rows = ["configs/three-stage-pipeline.json", "configs/moe-ep3-tp2.json"].map((plan) => {
    const taken = Array.from({ length: pairs }, () => {
      const nothing = cpuMs("-e", "0");
      return { nothing, check: cpuMs("dist/cli/main.js", "check", plan) };
    });
    return {
      plan,
      "node -e 0, ms": median(taken.map(({ nothing }) => nothing)).toFixed(1),
      "check, ms": median(taken.map(({ check }) => check)).toFixed(1),
      "check ÷ node -e 0": median(taken.map(({ nothing, check }) => check / nothing)).toFixed(2),
    };
  });
  console.table(rows);
  expect(rows.every((row) => Number(row["check ÷ node -e 0"]) > 1)).toBe(true);
});
