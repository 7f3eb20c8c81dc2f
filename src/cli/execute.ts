// Runs a plan for a command: with a progress line, and with Ctrl-C that keeps what was measured.

import { EnvironmentError } from "../environment_error.ts";
import type { RunOptions } from "../harness/run_plan.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunResult } from "../report/result.ts";
import { exitCodes, type ExitCode } from "./exit_code.ts";
import { progressLine } from "./progress_line.ts";

/** The first SIGINT or SIGTERM ends the run in order; the second ends the process at once. */
export const execute = async (plan: Plan, options: RunOptions): Promise<RunResult> => {
  const line = progressLine(process.stderr);
  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(exitCodes.interrupted);
    abort.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    const { runPlan } = await import("../harness/run_plan.ts");
    return await runPlan(plan, { ...options, onProgress: line.show, signal: abort.signal });
  } catch (error) {
    if (!abort.signal.aborted || !isAbort(error)) throw error;
    throw new EnvironmentError("interrupted", "stopped before a rank had started", "run it again");
  } finally {
    line.clear();
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
};

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === "AbortError";

/** What the end of a run means, its claims left aside. */
export const exitCodeOfRun = ({ outcome }: RunResult): ExitCode => {
  if (outcome.state === "complete") return exitCodes.fine;
  return outcome.state === "interrupted" ? exitCodes.interrupted : exitCodes.environment;
};
