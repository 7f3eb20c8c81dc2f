// How a thread sleeps until a word of shared memory changes: by futex on Linux, elsewhere by looking again.

import { setImmediate, setTimeout } from "node:timers/promises";
import koffi from "koffi";
import type { MappedMemory } from "../../../map_file.ts";

export interface Sleep {
  /** This thread, its event loop with it. */
  block(word: number, seen: number, us: number): void;
  /** Another thread, for this one to stay responsive. */
  yielding(word: number, seen: number, ms: number): Promise<void>;
  wake(word: number): void;
  /** Lets whoever else wants this core have it; goes on at once where nobody does. */
  giveWay(): void;
}

export function bellSleep(shared: MappedMemory): Sleep {
  return futexSleep(shared) ?? pollingSleep;
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
  giveWay() {},
};

const futexNumbers: Partial<Record<NodeJS.Architecture, number>> = { x64: 202, arm64: 98 };

function futexSleep(shared: MappedMemory): Sleep | undefined {
  const number = process.platform === "linux" ? futexNumbers[process.arch] : undefined;
  if (number === undefined) return undefined;
  const libc = koffi.load(null);
  // Else a sleep of some µs takes 50 more.
  libc.func("int prctl(int option, ulong slackNs, ulong, ulong, ulong)")(29, 1000, 0, 0, 0);
  const schedYield = libc.func("int sched_yield()");
  const futex = libc.func("syscall", "long", [
    "long",
    "void *",
    "int",
    "uint32",
    "void *",
    "void *",
    "uint32",
  ]);
  // Without the PRIVATE flag: the word is shared between processes.
  const [wait, wake] = [0, 1];
  const addressOf = (word: number): bigint => shared.address + BigInt(4 * word);
  return {
    block(word, seen, us) {
      if (us > 0) futex(number, addressOf(word), wait, seen >>> 0, timespec(us), null, 0);
    },
    yielding: async (word, seen, ms) =>
      new Promise((resolve) => {
        const timeout = timespec(ms * 1000);
        // Whether woken, too late, changed or interrupted: the caller looks again.
        futex.async(number, addressOf(word), wait, seen >>> 0, timeout, null, 0, () => resolve());
      }),
    wake(word) {
      futex(number, addressOf(word), wake, 0x7fffffff, null, null, 0);
    },
    giveWay() {
      schedYield();
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
