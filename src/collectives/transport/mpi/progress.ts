// Waiting for requests of MPI. The library moves messages on while it is called, so as long as any request is under way
// somebody must ask; in between this thread sleeps, the longer the longer nothing has come.

import { setImmediate } from "node:timers/promises";
import { napUsAfter, patiently } from "../../../gpu/patience.ts";
import { hostMs } from "../../../gpu/timestamps.ts";
import type { Waiting } from "../waiting.ts";
import type { MpiRequest } from "./library.ts";

export interface MpiProgress {
  /** Asks after it until it has ended, whoever waits. */
  keep(request: MpiRequest): void;
  /** Resolves when it has ended. Rejects when the communicator closes. */
  done(request: MpiRequest): Promise<void>;
  /** Resolves with true as soon as `holds`, with false after `atMostMs`. Rejects when the communicator closes. */
  until(holds: () => boolean, atMostMs?: number): Promise<boolean>;
  /** Awaits something else. */
  meanwhile<Result>(work: Promise<Result>): Promise<Result>;
  close(): void;
}

interface Pending {
  readonly holds: () => boolean;
  readonly deadline: number;
  readonly resolve: (held: boolean) => void;
  readonly reject: (error: Error) => void;
}

/** Nobody wakes who sleeps on it. */
const bell = new Int32Array(new SharedArrayBuffer(4));

export function createProgress({ spinUs, naps }: Waiting): MpiProgress {
  let underWay: MpiRequest[] = [];
  let waiters: Pending[] = [];
  let isAttended = false;
  let isClosed = false;

  /** Whether anything ended. */
  const settle = (): boolean => {
    const before = underWay.length + waiters.length;
    underWay = underWay.filter((request) => !request.isDone());
    waiters = waiters.filter((waiter) => !isSettled(waiter, isClosed));
    return underWay.length + waiters.length < before;
  };
  const attend = async (): Promise<void> => {
    let sinceMs = hostMs();
    while (underWay.length + waiters.length > 0) {
      // Whoever is awake on this thread goes first: it may have more to do than wait.
      await setImmediate();
      if (settle()) {
        sinceMs = hostMs();
        continue;
      }
      const waitedUs = 1000 * (hostMs() - sinceMs);
      if (waitedUs > spinUs) Atomics.wait(bell, 0, 0, napUsAfter(waitedUs) / 1000);
    }
    isAttended = false;
  };
  const begin = (): void => {
    if (isAttended) return;
    isAttended = true;
    void attend();
  };
  const until: MpiProgress["until"] = async (holds, atMostMs = Infinity) => {
    if (holds()) return true;
    return new Promise<boolean>((resolve, reject) => {
      waiters.push({ holds, deadline: hostMs() + atMostMs, resolve, reject });
      begin();
    });
  };
  return {
    keep(request) {
      if (request.isDone()) return;
      underWay.push(request);
      begin();
    },
    async done(request) {
      await until(() => request.isDone());
    },
    until,
    meanwhile: async (work) => (naps ? patiently(work) : work),
    close() {
      isClosed = true;
    },
  };
}

/** Tells whoever waited what became of it, if anything has. */
function isSettled({ holds, deadline, resolve, reject }: Pending, isClosed: boolean): boolean {
  if (isClosed) reject(new Error("the communicator was closed while this rank waited"));
  else if (holds()) resolve(true);
  else if (hostMs() >= deadline) resolve(false);
  else return false;
  return true;
}
