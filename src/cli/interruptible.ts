// Work that shows a progress line, and that Ctrl-C ends in order.

import { EnvironmentError } from "../environment_error.ts";
import type { Progress } from "../harness/run_options.ts";
import { exitCodes } from "./exit_code.ts";
import { progressLine } from "./progress_line.ts";

export interface WorkOptions {
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** The first SIGINT or SIGTERM ends the work in order; the second ends the process at once. */
export const interruptible = async <Result>(
  work: (options: WorkOptions) => Promise<Result>,
): Promise<Result> => {
  const line = progressLine(process.stderr);
  const abort = new AbortController();
  const interrupt = (): void => {
    if (abort.signal.aborted) process.exit(exitCodes.interrupted);
    abort.abort();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    return await work({ onProgress: line.show, signal: abort.signal });
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
