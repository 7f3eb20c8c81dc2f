// CPU time of the machine's cores and of this process with all that it started. Linux only.

import { readdirSync, readFileSync } from "node:fs";
import type { CpuTimes } from "../measure/machine_load.ts";

/** Now, in ticks; undefined where the system does not tell. A few ms, by the number of processes. */
export function readCpuTimes(): CpuTimes | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    const cores = coresIn(readFileSync("/proc/self/status", "utf8"));
    const times = timesOfCores(readFileSync("/proc/stat", "utf8"), cores);
    const own = timeOfFamily(process.pid, processes());
    return { ...times, own };
  } catch {
    return undefined;
  }
}

/** `Cpus_allowed_list: 0-3,8` of a process's status; undefined where it is not told. */
export function coresIn(status: string): ReadonlySet<number> | undefined {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  if (list === undefined) return undefined;
  const cores = list.split(",").flatMap((range) => {
    const [first = Number.NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
  return new Set(cores);
}

/** @param stat `/proc/stat`, whose lines are user, nice, system, idle, iowait, irq, softirq, steal and guests' */
export function timesOfCores(
  stat: string,
  cores: ReadonlySet<number> | undefined,
): Omit<CpuTimes, "own"> {
  const sum = { total: 0, busy: 0, stolen: 0 };
  for (const line of stat.split("\n")) {
    const core = /^cpu(\d+) /.exec(line)?.[1];
    if (core === undefined || cores?.has(Number(core)) === false) continue;
    // A guest's time is in the user's already.
    const ticks = line.split(/\s+/).slice(1, 9).map(Number);
    const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] =
      ticks;
    const busy = user + nice + system + irq + softirq;
    sum.busy += busy;
    sum.stolen += steal;
    sum.total += busy + idle + iowait + steal;
  }
  return sum;
}

export interface ProcessTimes {
  readonly pid: number;
  readonly parent: number;
  /** Of the process and of its children that ended. */
  readonly ticks: number;
}

/** A line of `/proc/PID/stat`; its second field is a name in brackets that may hold anything. */
export function processIn(stat: string): ProcessTimes {
  const pid = Number.parseInt(stat, 10);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const times = fields.slice(11, 15).map(Number);
  return { pid, parent: Number(fields[1]), ticks: times.reduce((sum, each) => sum + each, 0) };
}

/** Of a process and of all that descend from it. */
export function timeOfFamily(pid: number, all: readonly ProcessTimes[]): number {
  const family = new Set([pid]);
  // A child may have a smaller number than its parent.
  for (let before = 0; before < family.size;) {
    before = family.size;
    for (const each of all) if (family.has(each.parent)) family.add(each.pid);
  }
  return all.reduce((sum, each) => (family.has(each.pid) ? sum + each.ticks : sum), 0);
}

function processes(): ProcessTimes[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        return [processIn(readFileSync(`/proc/${name}/stat`, "utf8"))];
      } catch {
        // It ended meanwhile.
        return [];
      }
    });
}
