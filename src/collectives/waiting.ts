// Waiting for a word of shared memory to change, without burning a core that a software GPU could use.

import { setImmediate, setTimeout } from "node:timers/promises";
import koffi from "koffi";
import type { SharedMemory } from "./shared_memory.ts";

export interface Waiting {
  /** Polled at first: 3 µs round trip where each process has a core, wasted time where not. */
  readonly spinUs: number;
  /** Then the thread sleeps, its event loop with it: 24 to 40 µs round trip between two processes. */
  readonly blockUs: number;
  /** Then another thread sleeps and this one stays responsive: 35 to 66 µs round trip. */
  readonly sliceMs: number;
}

export const defaultWaiting: Waiting = { spinUs: 20, blockUs: 1000, sliceMs: 150 };

/** Spinning ranks would take the core from the rank that they wait for. */
export const waitingFor = (ranks: number, cores: number): Waiting =>
  ranks > cores ? { ...defaultWaiting, spinUs: 0 } : defaultWaiting;

export interface Waiter {
  /** Resolves when `words[index]` is no longer `seen`. Rejects when `isClosed` turns true first. */
  whileEqual(index: number, seen: number, isClosed: () => boolean): Promise<void>;
  /** To be called after `words[index]` was changed. */
  wake(index: number): void;
}

export function createWaiter(shared: SharedMemory, waiting: Waiting = defaultWaiting): Waiter {
  const words = new Int32Array(shared.memory);
  const sleep = futexSleep(shared) ?? pollingSleep;

  return {
    async whileEqual(index, seen, isClosed) {
      const isEqual = (): boolean => Atomics.load(words, index) === seen;
      spin(isEqual, waiting.spinUs);
      if (isEqual()) sleep.block(index, seen, waiting.blockUs);
      while (isEqual()) {
        if (isClosed()) throw new Error("the communicator was closed while this rank waited");
        await sleep.yielding(index, seen, waiting.sliceMs);
      }
    },
    wake: (index) => sleep.wake(index),
  };
}

function spin(isEqual: () => boolean, spinUs: number): void {
  if (spinUs === 0) return;
  const end = performance.now() + spinUs / 1000;
  while (isEqual() && performance.now() < end);
}

interface Sleep {
  block(index: number, seen: number, us: number): void;
  yielding(index: number, seen: number, ms: number): Promise<void>;
  wake(index: number): void;
}

/** macOS has no public futex. */
const pollingSleep: Sleep = {
  block() {},
  async yielding() {
    const end = performance.now() + 1;
    await setImmediate();
    // A message that is not there yet is rarely there within the next turns either.
    if (performance.now() < end) await setTimeout(0);
  },
  wake() {},
};

const futexNumbers: Partial<Record<NodeJS.Architecture, number>> = { x64: 202, arm64: 98 };

function futexSleep(shared: SharedMemory): Sleep | undefined {
  const number = process.platform === "linux" ? futexNumbers[process.arch] : undefined;
  if (number === undefined) return undefined;
  const futex = koffi
    .load(null)
    .func("syscall", "long", ["long", "void *", "int", "uint32", "void *", "void *", "uint32"]);
  // Without the PRIVATE flag: the word is shared between processes.
  const [wait, wake] = [0, 1];
  const addressOf = (index: number): bigint => shared.address + BigInt(4 * index);
  return {
    block(index, seen, us) {
      if (us > 0) futex(number, addressOf(index), wait, seen >>> 0, timespec(us), null, 0);
    },
    yielding: async (index, seen, ms) =>
      new Promise((resolve) => {
        const timeout = timespec(ms * 1000);
        // Whether woken, too late, changed or interrupted: the caller looks at the word again.
        futex.async(number, addressOf(index), wait, seen >>> 0, timeout, null, 0, () => resolve());
      }),
    wake(index) {
      futex(number, addressOf(index), wake, 0x7fffffff, null, null, 0);
    },
  };
}

function timespec(us: number): Uint8Array {
  const time = new BigInt64Array([
    BigInt(Math.floor(us / 1e6)),
    BigInt(Math.round(us % 1e6) * 1000),
  ]);
  return new Uint8Array(time.buffer);
}
