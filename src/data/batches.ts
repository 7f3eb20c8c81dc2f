// Batches of a data set: which tokens a step reads.

import { EnvironmentError } from "../environment_error.ts";
import type { IdsContent } from "../program/content.ts";
import { inOrder } from "../program/content_source.ts";
import type { TokenSource } from "../program/token_source.ts";
import { shuffledOrder } from "./sample_order.ts";
import { openSamples } from "./token_file.ts";

export interface Batches {
  /** With the path of a file that exists. */
  readonly source: TokenSource & { readonly path: string };
  /** Samples of the set, each of which is read once in an epoch. */
  readonly samples: number;
  /**
   * A region of a batch, counted from 0.
   *
   * @throws EnvironmentError `data-refused` where an id is past the vocabulary
   */
  readonly ids: (content: IdsContent, batch: number) => Uint32Array<ArrayBuffer>;
}

export function batchesOf(source: TokenSource & { readonly path: string }): Batches {
  const { path, dtype, batch, sequence, seed } = source;
  const samples = openSamples({ path, dtype }, sequence);
  const sampleAt = shuffledOrder(samples.count, seed);
  const inTokens = (
    { offset, size, vocabulary, ahead = 0 }: IdsContent,
    at: number,
  ): Uint32Array<ArrayBuffer> => {
    const start = offset.at(-1) ?? 0;
    const ids = new Uint32Array(size.at(-1) ?? 1);
    for (let i = 0; i < ids.length;) {
      const [row, first] = [Math.floor((start + i) / sequence), (start + i) % sequence];
      const index = sampleAt(at * batch + row);
      const length = Math.min(sequence - first, ids.length - i);
      const tokens = samples.read(index).subarray(first + ahead, first + ahead + length);
      const wrong = tokens.findIndex((id) => id >= vocabulary);
      if (wrong >= 0) throw pastVocabulary(path, tokens[wrong] ?? 0, vocabulary);
      ids.set(tokens, i);
      i += length;
    }
    return ids;
  };
  return {
    source,
    samples: samples.count,
    ids(content, at) {
      const { order } = content;
      if (order === undefined) return inTokens(content, at);
      const read = (part: Pick<IdsContent, "offset" | "size">) =>
        inTokens({ ...content, ...part }, at);
      return Uint32Array.from(inOrder(content, order, [0, 1], read));
    },
  };
}

function pastVocabulary(path: string, id: number, vocabulary: number): EnvironmentError {
  return new EnvironmentError(
    "data-refused",
    `${path} has a token id of ${id}, and the model's vocabulary has ${vocabulary}`,
    "tokenize the text with the model's tokenizer, or see whether workload.data.dtype is the file's",
  );
}
