// Runs a plan for a command: with a progress line, and with Ctrl-C that keeps what was measured.

import type { RunOptions } from "../harness/run_options.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../result/result.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { interruptible } from "./interruptible.ts";

/** @param quiet no progress */
export async function execute(plan: Plan, options: RunOptions, quiet = false): Promise<RunResult> {
  return interruptible(async (more) => {
    const { runPlan } = await import("../harness/run_plan.ts");
    return runPlan(plan, { ...options, ...more });
  }, quiet);
}

/** What the end of a run means, its claims left aside. */
export function exitCodeOfRun({ outcome }: Pick<RunResult, "outcome">): ExitCode {
  if (outcome.state === "complete") return exitCodes.fine;
  return outcome.state === "interrupted" ? exitCodes.interrupted : exitCodes.environment;
}
