// Threads of a pinned process on its core. They inherit that, but for SwiftShader's workers, which choose cores
// themselves, counted from 0: of a process on core 1 they compute on core 0, beside those of rank 0.

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { EnvironmentError } from "../environment_error.ts";

/**
 * All threads that the process has now.
 *
 * @throws EnvironmentError `cannot-pin`
 */
export async function pinThreads(pid: number, core: number): Promise<void> {
  try {
    await promisify(execFile)("taskset", ["-a", "-c", "-p", String(core), String(pid)]);
  } catch (error) {
    throw new EnvironmentError(
      "cannot-pin",
      `the threads of process ${pid} cannot be put on core ${core}: ${error instanceof Error ? error.message : String(error)}`,
      "install `taskset` (util-linux), or run without pinning",
    );
  }
}
