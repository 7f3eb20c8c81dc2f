// shardbench smoke: every small plan, numerics only, for continuous integration.

import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { formatNumber } from "../measure/format.ts";
import { padEnd } from "../report/render/text_width.ts";
import { soundPlan } from "./bad_plan.ts";
import { execute, exitCodeOfRun } from "./execute.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { exitCodeOf, guarded } from "./guard.ts";
import { outputColors, printJson, printLines } from "./output.ts";

interface Flags {
  readonly adapter?: string;
  readonly json?: boolean;
}

// Resolves to the same folder from src/cli and from dist/cli.
const smokeFolder = fileURLToPath(new URL("../../configs/smoke", import.meta.url));

export function defineSmoke(program: Command): void {
  program
    .command("smoke")
    .argument("[files...]", "plans (default: all of configs/smoke)")
    .summary("run every small plan and check its numbers; for CI")
    .description("Runs every small plan and checks its numbers; nothing is timed.")
    .option("--adapter <id>", "adapter for every rank", "swiftshader")
    .option("--json", "print the outcomes as JSON")
    .addHelpText(
      "after",
      `
Examples:
  $ shardbench smoke
  $ shardbench smoke plans/*.yaml --adapter lavapipe`,
    )
    .action((files: string[], flags: Flags) => guarded(flags.json, () => smoke(files, flags)));
}

interface Outcome {
  readonly plan: string;
  readonly code: ExitCode;
  readonly ranks?: number;
  /** Largest relative error. */
  readonly error?: number;
  readonly tolerance?: number;
  readonly seconds: number;
  /** Why it failed. */
  readonly reason?: string;
}

async function smoke(files: readonly string[], flags: Flags): Promise<ExitCode> {
  const outcomes: Outcome[] = [];
  const plans = files.length === 0 ? await smokePlans() : files;
  for (const file of plans) {
    const outcome = await tryPlan(file, flags.adapter);
    outcomes.push(outcome);
    if (flags.json !== true) printLines(outcomeLine(outcome));
    if (outcome.code === exitCodes.interrupted) break;
  }
  const failed = outcomes.filter(({ code }) => code !== exitCodes.fine);
  const passed = outcomes.length - failed.length;
  if (flags.json === true) printJson({ passed, failed: failed.length, plans: outcomes });
  else printLines([`${passed} passed, ${failed.length} failed`]);
  // Wrong numbers outrank a plan that could not run.
  const codes = failed.map(({ code }) => code);
  return codes.includes(exitCodes.wrongNumerics)
    ? exitCodes.wrongNumerics
    : (codes.at(-1) ?? exitCodes.fine);
}

async function smokePlans(): Promise<string[]> {
  const names = await readdir(smokeFolder);
  return names
    .filter((name) => /\.(json|ya?ml)$/.test(name))
    .toSorted()
    .map((name) => relative(process.cwd(), join(smokeFolder, name)));
}

async function tryPlan(file: string, adapter: string | undefined): Promise<Outcome> {
  const start = performance.now();
  const seconds = () => (performance.now() - start) / 1000;
  try {
    const { plan } = await soundPlan(file);
    const result = await execute(plan, {
      ...(adapter === undefined ? {} : { adapter }),
      numericsOnly: true,
    });
    const { outcome, check } = result;
    return {
      plan: file,
      code: exitCodeOfRun(result),
      ranks: plan.hardware.gpus,
      ...(check === undefined ? {} : { error: check.error, tolerance: check.tolerance }),
      seconds: seconds(),
      ...(outcome.state === "fault" ? { reason: outcome.message } : {}),
    };
  } catch (error) {
    const code = exitCodeOf(error);
    if (code === exitCodes.bug) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return { plan: file, code, seconds: seconds(), reason };
  }
}

function outcomeLine({ plan, code, ranks, error, seconds, reason }: Outcome): string[] {
  const colors = outputColors();
  const word = code === exitCodes.fine ? colors.good("ok  ") : colors.bad("FAIL");
  const parts = [
    ...(ranks === undefined ? [] : [`${ranks} ranks`]),
    ...(error === undefined ? [] : [`error ${error.toExponential(1)}`]),
    `${formatNumber(Number(seconds.toFixed(1)))} s`,
  ];
  return [
    `${word}  ${padEnd(plan, 40)}  ${parts.join("  ")}`,
    ...(reason === undefined ? [] : [`      ${reason}`]),
  ];
}
