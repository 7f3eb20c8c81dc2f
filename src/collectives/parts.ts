// A collective has several parts under way. Of the host's time, what a part does at once is its own; all
// other time is the GPU's if any part awaits that, else the other ranks'.

import type { CollectiveContext, HostActivity } from "./context.ts";

/** A collective's context, and how its parts await. */
export interface Parts extends CollectiveContext {
  /** Awaits the GPU. */
  readonly readback: <Result>(work: Promise<Result>) => Promise<Result>;
  /**
   * Awaits the GPU until so many bytes can be written without getting far ahead of it. To be called when they have
   * come, and followed by `uploads.wrote`: room that is held while other ranks are awaited is missing elsewhere.
   */
  readonly roomFor: (bytes: number) => Promise<void>;
  /** Does something at once. */
  readonly during: <Result>(activity: HostActivity, work: () => Result) => Result;
}

export function createParts(context: CollectiveContext): Parts {
  const { enter, communicator, uploads } = context;
  let onGpu = 0;
  const rest = (): void => enter(onGpu > 0 ? "readback" : "wait");
  const during: Parts["during"] = (activity, work) => {
    enter(activity);
    try {
      return work();
    } finally {
      rest();
    }
  };
  const readback: Parts["readback"] = async (work) => {
    onGpu += 1;
    rest();
    try {
      return await communicator.meanwhile(work);
    } finally {
      onGpu -= 1;
      rest();
    }
  };
  // Before it does anything, a part may await a message; a rank that only receives would seem at work.
  rest();
  return {
    ...context,
    submit: () => during("host", context.submit),
    during,
    readback,
    async roomFor(bytes) {
      for (;;) {
        const taken = uploads.take(bytes);
        if (taken === undefined) return;
        await readback(taken);
      }
    },
  };
}
