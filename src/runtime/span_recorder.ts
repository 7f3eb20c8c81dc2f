// What the host was busy with, as segments without a gap.

import type { Activity, Segment } from "./spans.ts";

export interface SpanRecorder {
  /** From now on the host does this, for this instruction if any. */
  enter(activity: Activity, instruction: number | undefined, submittedPasses: number): void;
  /** Segments from the first `enter` until now. */
  finish(): Segment[];
}

export function createSpanRecorder(clock: () => number): SpanRecorder {
  const segments: Segment[] = [];
  let current: Omit<Segment, "endMs"> | undefined;

  const end = (endMs: number): void => {
    if (current !== undefined && endMs > current.startMs) segments.push({ ...current, endMs });
  };
  return {
    enter(activity, instruction, submittedPasses) {
      if (current?.activity === activity && current.instruction === instruction) return;
      const startMs = clock();
      end(startMs);
      current = {
        activity,
        startMs,
        submittedPasses,
        ...(instruction === undefined ? {} : { instruction }),
      };
    },
    finish() {
      end(clock());
      current = undefined;
      return segments;
    },
  };
}
