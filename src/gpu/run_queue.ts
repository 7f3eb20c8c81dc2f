// How long a process was ready to run while others had the cores. On a machine with more ranks than cores that is most
// of the time: a rank that stands still for want of a core is slow, and does not hang.

import { readdirSync, readFileSync } from "node:fs";

export interface RunQueueClock {
  /** ms since it was last asked, of the thread that waited longest; 0 the first time, and where nobody counts it. */
  queuedMs(): number;
  /** Forgets when it was last asked. */
  reset(): void;
}

export function createRunQueueClock(pid: number | undefined): RunQueueClock {
  /** ns by thread. */
  let before: ReadonlyMap<string, number> | undefined;
  return {
    queuedMs() {
      const now = pid === undefined ? undefined : queuedByThread(pid);
      let most = 0;
      for (const [thread, queued] of now ?? []) {
        most = Math.max(most, queued - (before?.get(thread) ?? 0));
      }
      const isFirst = before === undefined;
      before = now;
      return isFirst ? 0 : most / 1e6;
    },
    reset() {
      before = undefined;
    },
  };
}

/** Undefined where the system does not count it, and for a process that is gone. */
function queuedByThread(pid: number): ReadonlyMap<string, number> | undefined {
  try {
    const folder = `/proc/${pid}/task`;
    return new Map(readdirSync(folder).map((thread) => [thread, queuedNs(`${folder}/${thread}`)]));
  } catch {
    return undefined;
  }
}

/** The second of three numbers: time on a core, time in its queue, turns. */
function queuedNs(thread: string): number {
  try {
    return Number(readFileSync(`${thread}/schedstat`, "utf8").split(" ")[1] ?? 0);
  } catch {
    // It has ended since.
    return 0;
  }
}
