// Where the ranks of a launcher's job are. Without one all are here.

import { readFileSync } from "node:fs";
import { hostname } from "node:os";

export interface JobHost {
  /** What it calls itself; containers have names of their own. */
  readonly name: string;
  /** The same for all containers of one machine. */
  readonly machine: string;
}

let hosts: readonly JobHost[] = [];

/** @param byRank of this coordinator's job */
export function setJobHosts(byRank: readonly JobHost[]): void {
  hosts = byRank;
}

/** How many ranks before this one are on its host; the rank itself where all are here. */
export function localRankOf(rank: number): number {
  const own = hosts[rank]?.name;
  return own === undefined ? rank : hosts.slice(0, rank).filter(({ name }) => name === own).length;
}

/** The number of the rank's machine, in the order in which ranks name them; undefined where all are on one. */
export function machineOf(rank: number): number | undefined {
  const machines = [...new Set(hosts.map(({ machine }) => machine))];
  const own = hosts[rank];
  return machines.length < 2 || own === undefined ? undefined : machines.indexOf(own.machine);
}

/** Of this process. */
export function ownHost(): JobHost {
  const name = hostname();
  try {
    return { name, machine: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim() };
  } catch {
    return { name, machine: name };
  }
}
