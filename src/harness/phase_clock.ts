// How long each phase of a run takes.

import type { PhaseTime } from "../result/result.ts";

export interface PhaseClock {
  /** A phase begins, or goes on. */
  turnTo(phase: PhaseTime["phase"]): void;
  /** Until now, in the order in which they began; of several runs, each phase's sum. */
  times(): PhaseTime[];
}

/** @param now ms */
export function createPhaseClock(
  now: () => number = performance.now.bind(performance),
): PhaseClock {
  const spent = new Map<PhaseTime["phase"], number>();
  let current: PhaseTime["phase"] | undefined;
  let since = now();
  const settle = (): void => {
    const at = now();
    if (current !== undefined) spent.set(current, (spent.get(current) ?? 0) + at - since);
    since = at;
  };
  return {
    turnTo(phase) {
      settle();
      current = phase;
    },
    times() {
      settle();
      return [...spent].map(([phase, ms]) => ({ phase, ms }));
    },
  };
}
