// A text that is read as shell: the source itself, or one that its words make.

import { type Scalar, textOf } from "./value.ts";

/** A text, and where its characters stand in the source. */
export interface SourceText {
  readonly text: string;
  readonly at: (offset: number) => number;
}

/** The text of pieces, with the places of its characters. */
export const sourceOf = (pieces: Scalar): SourceText => {
  const starts: number[] = [];
  let length = 0;
  for (const { text } of pieces) {
    starts.push(length);
    length += text.length;
  }
  return {
    text: textOf(pieces),
    at: (offset) => {
      let index = starts.findLastIndex((start) => start <= offset);
      if (index < 0) index = 0;
      return (pieces[index]?.offset ?? 0) + offset - (starts[index] ?? 0);
    },
  };
};
