import { flatGrid, workgroupSize } from "./grid.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { bytesPerElement, type StorageType } from "./storage.ts";

export interface ReduceWordsShape {
  readonly dtype: StorageType;
  /** Most pieces and elements that the header will name. */
  readonly pieces: number;
  readonly elements: number;
}

/** Words that come before the pieces. */
export const headerWords = 8;

/** What one dispatch does, as the first words of `x`; in the order of the shader's constants. */
export interface WordsHeader {
  readonly pieces: number;
  readonly elements: number;
  /** Word of `x` at which the pieces begin, and words from one to the next. */
  readonly begin: number;
  readonly pitch: number;
  /** Elements of a piece's first word that come before it. */
  readonly skip: number;
  /** Element of `y` that the result begins with. */
  readonly first: number;
}

export function encodeHeader(header: WordsHeader): Uint32Array<ArrayBuffer> {
  const { pieces, elements, begin, pitch, skip, first } = header;
  const words = new Uint32Array(headerWords);
  words.set([pieces, elements, begin, pitch, skip, first]);
  return words;
}

/** As `reduce_sum`, for pieces that may begin and end anywhere: a part of `y` is overwritten. */
export const reduceWords: Kernel<ReduceWordsShape> = {
  name: "reduce_words",
  bindings: [read("x", "u32"), write("y", "u32")],
  constants: ({ dtype }) => ({ HALVES: dtype === "f16" ? 1 : 0, WORKGROUP: workgroupSize }),
  // An f16 result may begin and end within a word.
  grid: ({ dtype, elements }) => flatGrid(dtype === "f16" ? elements / 2 + 1 : elements),
  flops: ({ pieces, elements }) => (pieces - 1) * elements,
  bytes: ({ pieces, elements }, dtype) => (pieces + 1) * elements * bytesPerElement(dtype),
};
