// What the host spends on giving the GPU its work, itemised.

import type { HostItems } from "../program/trace.ts";

export type HostItem = Exclude<keyof HostItems, "instructions" | "wakeMs">;

export interface HostWork {
  /** Does it, and counts the time it takes. Nothing asynchronous: only what the call itself takes counts. */
  timed<Result>(item: HostItem, work: () => Result): Result;
  readonly items: Readonly<Record<HostItem, number>>;
}

export function createHostWork(clock: () => number): HostWork {
  const items = { encodeMs: 0, submitMs: 0, mapMs: 0 };
  return {
    items,
    timed(item, work) {
      const begin = clock();
      const result = work();
      items[item] += clock() - begin;
      return result;
    },
  };
}
