import { readFileSync } from "node:fs";

/** CPU time of processes over all their threads, in ticks of 10 ms; NaN where the system does not say. */
export function cpuMsOf(pids: readonly (number | undefined)[]): number {
  if (process.platform !== "linux") return Number.NaN;
  return pids.reduce<number>((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return sum + 10 * (Number(fields[11]) + Number(fields[12]));
  }, 0);
}
