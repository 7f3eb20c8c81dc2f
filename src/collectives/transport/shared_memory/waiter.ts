// Waiting for other ranks, without burning a core that a software GPU could use. All that a rank may wait
// for rings its bell, a word of shared memory; whoever waits looks again when the bell has rung.

import { setImmediate } from "node:timers/promises";
import { napUsAfter } from "../../../gpu/patience.ts";
import type { Waiting } from "../waiting.ts";
import { bellSleep } from "./bell_sleep.ts";
import type { MappedMemory } from "../../../map_file.ts";

/** By then a GPU has copied a few bytes: to sleep before would be to wake too late. */
const swiftUs = 60;

export interface Waiter {
  /** Resolves with true as soon as `holds`, with false after `atMostMs`. Rejects when the waiter closes. */
  until(holds: () => boolean, atMostMs?: number): Promise<boolean>;
  /** Awaits something that rings no bell; meanwhile this thread sleeps for a nap at most. */
  meanwhile<Result>(work: Promise<Result>): Promise<Result>;
  /** To be called after something was changed that the owner of that bell may wait for. */
  ring(bellWord: number): void;
  close(): void;
}

interface Pending {
  readonly holds: () => boolean;
  readonly deadline: number;
  readonly resolve: (held: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** @param bellWord index of this rank's bell */
export function createWaiter(shared: MappedMemory, bellWord: number, waiting: Waiting): Waiter {
  const words = new Int32Array(shared.memory);
  const sleep = bellSleep(shared);
  let waiters: Pending[] = [];
  let elsewhere = 0;
  /** When somebody last began or ceased to await something elsewhere. */
  let turnedMs = 0;
  let isAttended = false;
  let closed = false;

  /** Whether anybody is done. */
  const settle = (): boolean => {
    const before = waiters;
    waiters = before.filter((waiter) => !isSettled(waiter, closed));
    return waiters.length < before.length;
  };
  /** One for all who wait, for ranks or elsewhere; ends when nobody does. */
  const attend = async (): Promise<void> => {
    let slept = false;
    while (waiters.length + elsewhere > 0) {
      // Whoever is awake on this thread goes first: it may have more to do than wait.
      await setImmediate();
      const seen = Atomics.load(words, bellWord);
      if (settle()) {
        slept = false;
        continue;
      }
      const leftMs = Math.min(...waiters.map(({ deadline }) => deadline)) - performance.now();
      if (elsewhere > 0) {
        if (!waiting.naps) continue;
        const waitedUs = 1000 * (performance.now() - turnedMs);
        if (waitedUs < swiftUs) sleep.giveWay();
        else sleep.block(bellWord, seen, Math.min(napUsAfter(waitedUs), 1000 * leftMs));
        continue;
      }
      const hasRung = (): boolean => Atomics.load(words, bellWord) !== seen;
      if (!slept) spin(hasRung, waiting.spinUs);
      if (hasRung()) continue;
      const sliceMs = Math.max(0.005, Math.min(waiting.sliceMs, leftMs));
      if (slept) await sleep.yielding(bellWord, seen, sliceMs);
      else sleep.block(bellWord, seen, Math.min(waiting.blockUs, 1000 * sliceMs));
      slept = !hasRung();
    }
    isAttended = false;
  };

  const begin = (): void => {
    if (isAttended) return;
    isAttended = true;
    void attend();
  };

  return {
    until: async (holds, atMostMs = Infinity) => {
      if (holds()) return true;
      return new Promise<boolean>((resolve, reject) => {
        waiters.push({ holds, deadline: performance.now() + atMostMs, resolve, reject });
        begin();
      });
    },
    async meanwhile(work) {
      elsewhere += 1;
      turnedMs = performance.now();
      begin();
      try {
        return await work;
      } finally {
        elsewhere -= 1;
        turnedMs = performance.now();
      }
    },
    ring(word) {
      Atomics.add(words, word, 1);
      sleep.wake(word);
    },
    close() {
      closed = true;
    },
  };
}

/** Tells whoever waited what became of it, if anything has. */
function isSettled({ holds, deadline, resolve, reject }: Pending, isClosed: boolean): boolean {
  if (isClosed) reject(new Error("the communicator was closed while this rank waited"));
  else if (holds()) resolve(true);
  else if (performance.now() >= deadline) resolve(false);
  else return false;
  return true;
}

function spin(isOver: () => boolean, spinUs: number): void {
  if (spinUs === 0) return;
  const end = performance.now() + spinUs / 1000;
  while (!isOver() && performance.now() < end);
}
