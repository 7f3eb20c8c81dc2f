// Looks at the ranks now and then, and keeps what the watchdog judges them by.

import { createRunQueueClock, type RunQueueClock } from "../gpu/run_queue.ts";
import { type BusyRank, findHang, type Hang, type Patience } from "./watchdog.ts";

export type Sighting = Pick<BusyRank, "rank" | "position"> & {
  readonly pid: number | undefined;
  /** `performance.now()` when the rank was last heard. */
  readonly heardMs: number;
  /** `performance.now()` when it was asked. */
  readonly askedMs: number;
};

/** What is known of a rank from earlier looks. */
interface Watched {
  readonly queue: RunQueueClock;
  turns: number;
  /** `performance.now()` when its position was first seen. */
  movedMs: number;
  heardMs: number;
  /** Of the time since it moved, and since it was heard, what it waited for a core. */
  queuedSinceMoved: number;
  queuedSinceHeard: number;
}

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
  const watched = new Map<number, Watched>();
  let lastMs = performance.now();
  let awakeMs = lastMs;

  const see = ({ rank, pid, position, heardMs, askedMs }: Sighting, nowMs: number): BusyRank => {
    const elapsedMs = nowMs - lastMs;
    let own = watched.get(rank);
    if (own === undefined) {
      const queue = createRunQueueClock(pid);
      const { turns } = position;
      own = { queue, turns, heardMs, movedMs: nowMs, queuedSinceMoved: 0, queuedSinceHeard: 0 };
      watched.set(rank, own);
    }
    // Where it stood before it was asked is nobody's concern.
    const earliestMs = Math.max(awakeMs, askedMs);
    if (own.turns !== position.turns || own.movedMs < earliestMs) {
      own.movedMs = own.turns === position.turns ? earliestMs : nowMs;
      own.turns = position.turns;
      own.queuedSinceMoved = 0;
    }
    const heardLateMs = Math.max(awakeMs, heardMs);
    if (own.heardMs !== heardLateMs) {
      own.heardMs = heardLateMs;
      own.queuedSinceHeard = 0;
    }
    const stillMs = nowMs - own.movedMs;
    const silentMs = nowMs - own.heardMs;
    if (Math.max(stillMs, silentMs) < patience.hangMs / 4) own.queue.reset();
    else {
      const queuedMs = Math.min(elapsedMs, own.queue.queuedMs());
      own.queuedSinceMoved += queuedMs;
      own.queuedSinceHeard += queuedMs;
    }
    return {
      rank,
      position,
      silentMs: Math.max(0, silentMs - own.queuedSinceHeard),
      stillMs: Math.max(0, stillMs - own.queuedSinceMoved),
    };
  };

  const timer = setInterval(() => {
    const nowMs = performance.now();
    // The coordinator itself was stopped, and the ranks perhaps with it: they get a new chance.
    if (nowMs - lastMs > periodMs + 1000) awakeMs = nowMs;
    const busy = look().map((sighting) => see(sighting, nowMs));
    lastMs = nowMs;
    const hang = findHang(busy, patience);
    if (hang !== undefined) onHang(hang);
  }, periodMs);
  timer.unref();
  return () => clearInterval(timer);
}
