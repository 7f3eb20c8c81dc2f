// What others took of the machine's CPUs while steps ran, or before: processes that are not the run's own, and
// whoever the host of a virtual machine gave its cores to.

/** CPU time since some moment, in one unit, of the cores that the run may use. */
export interface CpuTimes {
  /** Of all cores together, idle or not. */
  readonly total: number;
  /** Not idle, and not stolen. */
  readonly busy: number;
  /** A core of ours was ready to work, and the host gave it to others. */
  readonly stolen: number;
  /** Of the run's own processes; kernels of software adapters are theirs. */
  readonly own: number;
}

/** Shares of the CPU time of all cores that the run may use, 0 … 1. */
export interface MachineLoad {
  readonly othersShare: number;
  readonly stolenShare: number;
}

/** Of one opening of the ranks. */
export interface LoadOfRun {
  /** From the start of the run until its steps. */
  readonly before: MachineLoad;
  readonly during: MachineLoad;
}

/** Undefined where no time has passed. */
export function loadBetween(from: CpuTimes, to: CpuTimes): MachineLoad | undefined {
  const total = to.total - from.total;
  if (total <= 0) return undefined;
  const others = to.busy - from.busy - (to.own - from.own);
  return {
    // Clocks of processes and of cores do not tick together.
    othersShare: Math.min(1, Math.max(0, others / total)),
    stolenShare: Math.min(1, Math.max(0, (to.stolen - from.stolen) / total)),
  };
}

/** Timers, interrupts and a shell: a quiet machine has as much. */
const quiet = 0.03;

/** What others had while the steps of some run were timed, where that is more than on a quiet machine. */
export function heaviestLoad(loads: readonly LoadOfRun[]): MachineLoad | undefined {
  return loads
    .map(({ during }) => during)
    .filter((load) => takenShare(load) > quiet)
    .toSorted((a, b) => takenShare(b) - takenShare(a))[0];
}

/**
 * How far a figure may be off by what others took, as a share of it: where cores are the limit, time that others have
 * makes a step longer by as much.
 */
export function loadMargin(load: MachineLoad): number {
  const taken = Math.min(most, takenShare(load));
  return taken / (1 - taken);
}

/** Beyond it nothing is known in any case. */
const most = 0.99;

function takenShare({ othersShare, stolenShare }: MachineLoad): number {
  return othersShare + stolenShare;
}
