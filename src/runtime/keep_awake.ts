// Cores that never go to sleep. A core of a virtual machine that has nothing to do is given to others by its host,
// and comes back late, or for a while at half its speed: kernels between two waits take up to twice as long then.
// A process of the lowest priority keeps it busy, and gives way to whatever else there is at once.

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { EnvironmentError } from "../environment_error.ts";

export interface KeptAwake {
  /** Rejects with `EnvironmentError` `cannot-pin` where no such process can be started, unless it is ended before. */
  readonly ready: Promise<void>;
  readonly end: () => void;
}

/** Ends by itself when its parent is gone. */
const busyLoop =
  'while kill -0 "$PPID" 2>/dev/null; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; done';

const schedIdle = "5";
/** On a busy machine a process may take seconds to start. */
const patienceMs = 20_000;

export function keepAwake(cores: readonly number[]): KeptAwake {
  const keepers = cores.map((core) => {
    const given = ["-c", String(core), "chrt", "--idle", "0", "sh", "-c", busyLoop];
    const keeper = spawn("taskset", given, { stdio: "ignore" });
    // One that cannot be started is found missing.
    keeper.on("error", () => {});
    return keeper;
  });
  let ended = false;
  return {
    ready: haveStarted(keepers, () => ended),
    end() {
      ended = true;
      for (const keeper of keepers) keeper.kill("SIGKILL");
    },
  };
}

async function haveStarted(keepers: readonly ChildProcess[], isOver: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!isOver() && !keepers.every(isIdlePriority)) {
    if (keepers.some(hasEnded) || performance.now() > deadline) {
      throw new EnvironmentError(
        "cannot-pin",
        "cores cannot be kept awake: no process of idle priority could be started on each",
        "install `taskset` and `chrt` (util-linux), or run without keeping cores awake",
      );
    }
    await setTimeout(5);
  }
}

function hasEnded({ pid, exitCode }: ChildProcess): boolean {
  return pid === undefined || exitCode !== null;
}

function isIdlePriority({ pid }: ChildProcess): boolean {
  if (pid === undefined) return false;
  try {
    // The 41st field; the second is a name in brackets, which may hold blanks.
    const afterName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1) ?? "";
    return afterName.split(" ")[38] === schedIdle;
  } catch {
    return false;
  }
}
