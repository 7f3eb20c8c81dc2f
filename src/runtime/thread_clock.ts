// CPU time of this thread: what the host itself spends, whoever else the system lets run meanwhile. A software
// GPU takes the core from the host within a submission.

import koffi from "koffi";
import { hostMs } from "../gpu/timestamps.ts";

/** CLOCK_THREAD_CPUTIME_ID of Linux. */
const threadCpuTime = 3;

/** Gives ms of CPU time, on Linux; elsewhere of wall time. To be called on one thread. */
export function createThreadClock(): () => number {
  if (process.platform !== "linux") return hostMs;
  const time = new BigInt64Array(2);
  const clockGettime = koffi.load(null).func("int clock_gettime(int clock, void *time)");
  return () => {
    clockGettime(threadCpuTime, time);
    return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
  };
}
