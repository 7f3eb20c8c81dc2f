// Who has the thread: a collective has several parts under way, of which at most one runs and the others
// await the GPU or other ranks. While none runs, its time is the GPU's if it awaits that, else the ranks'.

import type { CollectiveContext, HostActivity } from "./context.ts";

/** A collective's context, and how its parts await. */
export interface Parts extends CollectiveContext {
  /** Awaits the GPU. */
  readonly readback: <Result>(work: Promise<Result>) => Promise<Result>;
  /** Awaits other ranks, or another part. */
  readonly wait: <Result>(work: Promise<Result>) => Promise<Result>;
  /** Does something at once that has a name of its own. */
  readonly during: <Result>(activity: HostActivity, work: () => Result) => Result;
}

export function createParts(context: CollectiveContext): Parts {
  const { enter, communicator } = context;
  let onGpu = 0;
  const rest = (): void => enter(onGpu > 0 ? "readback" : "wait");
  return {
    ...context,
    async readback(work) {
      onGpu += 1;
      rest();
      try {
        return await communicator.meanwhile(work);
      } finally {
        onGpu -= 1;
        enter("host");
      }
    },
    async wait(work) {
      rest();
      try {
        return await work;
      } finally {
        enter("host");
      }
    },
    during(activity, work) {
      enter(activity);
      const result = work();
      enter("host");
      return result;
    },
  };
}
