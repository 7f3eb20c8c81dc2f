// Work that shows a progress line, and that a signal ends in order.

import { EnvironmentError } from "../environment_error.ts";
import type { Progress } from "../harness/run_options.ts";
import { exitCodes } from "./exit_code.ts";
import { progressLine } from "./progress_line.ts";

export interface WorkOptions {
  readonly onProgress: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

/** A terminal that is closed, a shell that ends and `timeout` all tell the same more than once. */
const sameMs = 1000;

/**
 * The first SIGINT, SIGTERM or SIGHUP ends the work in order. Another SIGINT or SIGTERM, more than a second later, ends
 * the process at once.
 */
export async function heedingSignals<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const abort = new AbortController();
  let firstMs: number | undefined;
  const interrupt = (name: NodeJS.Signals): void => {
    const nowMs = performance.now();
    firstMs ??= nowMs;
    abort.abort();
    if (name !== "SIGHUP" && nowMs - firstMs > sameMs) process.exit(exitCodes.interrupted);
  };
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) process.on(name, interrupt);
  try {
    return await work(abort.signal);
  } finally {
    for (const name of names) process.off(name, interrupt);
  }
}

/** @param quiet no progress line */
export async function interruptible<Result>(
  work: (options: WorkOptions) => Promise<Result>,
  quiet = false,
): Promise<Result> {
  return heedingSignals(async (signal) => {
    const line = quiet
      ? { show: () => undefined, clear: () => undefined }
      : progressLine(process.stderr);
    try {
      return await work({ onProgress: line.show, signal });
    } catch (error) {
      if (!signal.aborted || !isAbort(error)) throw error;
      throw new EnvironmentError(
        "interrupted",
        "stopped before a rank had started",
        "run it again",
      );
    } finally {
      line.clear();
    }
  });
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
