// Looks at the ranks now and then, and keeps what the watchdog judges them by.

import { type BusyRank, findHang, type Hang, type Patience } from "./watchdog.ts";

export type Sighting = Pick<BusyRank, "rank" | "position"> & {
  /** `performance.now()` when the rank was last heard. */
  readonly heardMs: number;
  /** `performance.now()` when it was asked. */
  readonly askedMs: number;
};

/**
 * @param look at the ranks that were asked for something and have not answered
 * @returns what ends the watch
 */
export function watchRanks(
  patience: Patience,
  look: () => readonly Sighting[],
  onHang: (hang: Hang) => void,
): () => void {
  const periodMs = Math.min(1000, patience.hangMs / 4);
  const moved = new Map<number, { readonly turns: number; readonly sinceMs: number }>();
  let lastMs = performance.now();
  let awakeMs = lastMs;
  const timer = setInterval(() => {
    const nowMs = performance.now();
    // The coordinator itself was stopped, and the ranks perhaps with it: they get a new chance.
    if (nowMs - lastMs > periodMs + 1000) awakeMs = nowMs;
    lastMs = nowMs;
    const busy = look().map(({ rank, position, heardMs, askedMs }): BusyRank => {
      const before = moved.get(rank);
      // Where it stood before it was asked is nobody's concern.
      const earliestMs = Math.max(awakeMs, askedMs);
      const sinceMs =
        before?.turns === position.turns ? Math.max(before.sinceMs, earliestMs) : nowMs;
      moved.set(rank, { turns: position.turns, sinceMs });
      const silentMs = nowMs - Math.max(heardMs, awakeMs);
      return { rank, position, silentMs, stillMs: nowMs - sinceMs };
    });
    const hang = findHang(busy, patience);
    if (hang !== undefined) onHang(hang);
  }, periodMs);
  timer.unref();
  return () => clearInterval(timer);
}
