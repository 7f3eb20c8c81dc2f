// How long ranks stay awake while they wait for others. A transport that waits by other means may ignore it.

export interface Waiting {
  /** Polled at first: 3 µs round trip where each process has a core, wasted time where not. */
  readonly spinUs: number;
  /** Then the thread sleeps, its event loop with it: 24 to 40 µs round trip between two processes. */
  readonly blockUs: number;
  /**
   * While this thread awaits its GPU, which Dawn polls on it: whether it gives way between two looks, and sleeps
   * when that has taken long, for a software GPU needs the core.
   */
  readonly naps: boolean;
  /** Then another thread sleeps and this one stays responsive: 35 to 66 µs round trip. */
  readonly sliceMs: number;
}

export const defaultWaiting: Waiting = { spinUs: 20, blockUs: 1000, naps: false, sliceMs: 150 };

/** Ranks that are awake for nothing would take the core from the rank that they wait for, or from its GPU. */
export function waitingFor(ranks: number, cores: number, software: boolean): Waiting {
  return {
    ...defaultWaiting,
    spinUs: ranks > cores ? 0 : defaultWaiting.spinUs,
    naps: software || ranks > cores,
  };
}
