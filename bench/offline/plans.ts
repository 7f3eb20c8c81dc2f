// Both plans as a user runs them, without tuning and with it, in turn. A process of its own.

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RunResult } from "../../src/result/result.ts";
import { partArguments } from "./arguments.ts";
import { commandLine } from "./command_line.ts";
import type { PlanRecord } from "./plans_report.ts";
import { parsed, printRecord } from "./records.ts";

const configs = ["three-stage-pipeline.json", "moe-ep3-tp2.json"].map((name) =>
  fileURLToPath(new URL(`../../configs/${name}`, import.meta.url)),
);
const mostRounds = 5;

const { adapter, isOver, leftMs } = partArguments();
const folder = mkdtempSync(join(tmpdir(), "shardbench-plans-"));
try {
  const tuning = Math.max(2, Math.floor(leftMs() / 1000 / 10));
  for (const plan of configs) {
    run(plan, ["tune", plan, "--time", `${tuning}s`], "tune", 0);
  }
  for (let round = 1; round <= mostRounds && !isOver(); round += 1) {
    for (const plan of configs) {
      runPlan(plan, ["--no-tune"], "untuned", round);
      runPlan(plan, ["--tune-time", "1ms"], "tuned", round);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function runPlan(
  plan: string,
  options: readonly string[],
  way: PlanRecord["way"],
  round: number,
): void {
  const result = join(folder, "result.json");
  rmSync(result, { force: true });
  const command = ["run", plan, "--time", "2s", "--output", result, ...options];
  run(
    plan,
    command,
    way,
    round,
    () => parsed(readFileSync(result, "utf8")) as RunResult | undefined,
  );
}

/** What is over time is not begun. */
function run(
  plan: string,
  command: readonly string[],
  way: PlanRecord["way"],
  round: number,
  result: () => RunResult | undefined = () => undefined,
): void {
  if (isOver()) return;
  const { status, stderr } = spawnSync(
    process.execPath,
    [...commandLine(...command), "--adapter", adapter],
    { encoding: "utf8", timeout: Math.ceil(leftMs()), maxBuffer: 2 ** 28 },
  );
  const head = { plan: basename(plan, ".json"), way, round };
  const record: PlanRecord =
    status === 0
      ? { ...head, ...figuresOf(result()) }
      : {
          ...head,
          failure: `exit code ${status}: ${stderr.trim().replaceAll(/\s+/g, " ").slice(-300)}`,
        };
  printRecord(record);
  if (status !== 0 && !isOver()) process.exitCode = 1;
}

function figuresOf(result: RunResult | undefined): Partial<PlanRecord> {
  if (result === undefined) return {};
  const { check, metrics, kernels, samples } = result;
  return {
    ...(metrics.stepMs === undefined ? {} : { stepMs: metrics.stepMs.value }),
    steps: samples.map(({ wallMs }) => wallMs),
    ...(check === undefined ? {} : { error: check.error, tolerance: check.tolerance }),
    variants: kernels.map(({ call, variant, reason }) => ({ call, variant, reason })),
  };
}
