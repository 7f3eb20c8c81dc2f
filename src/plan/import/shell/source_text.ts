// A text that is read as shell: the source itself, or one that its words make.

import { type Scalar, textOf } from "./value.ts";

/** A text, and where its characters stand in the source. */
export interface SourceText {
  readonly text: string;
  readonly at: (offset: number) => number;
}

/** The text of pieces, with the places of its characters. */
export function sourceOf(pieces: Scalar): SourceText {
  const starts: number[] = [];
  let length = 0;
  for (const { text } of pieces) {
    starts.push(length);
    length += text.length;
  }
  return {
    text: textOf(pieces),
    at: (offset) => {
      const index = Math.max(0, startedBy(starts, offset) - 1);
      return (pieces[index]?.offset ?? 0) + offset - (starts[index] ?? 0);
    },
  };
}

/** How many of the starts, which ascend, are at an offset or before it. */
function startedBy(starts: readonly number[], offset: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
