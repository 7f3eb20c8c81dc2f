// Tokens that a model can learn to predict: mostly each is followed by one certain other, else by any, the frequent ones
// before the rare.

import type { TokenType } from "../plan/data_set.ts";
import { seededRandom } from "../seeded_random.ts";
import { shuffled } from "../shuffled.ts";

export interface SyntheticTokens {
  readonly tokens: number;
  /** Ids are below it. */
  readonly vocabulary: number;
  readonly dtype: TokenType;
  readonly seed: number;
}

/** How often the certain one follows. The loss of a model that has learned all else stays above that of a coin. */
const certain = 0.75;

/** Ids, in blocks: as large as memory are no files. */
export function* syntheticTokens(
  { tokens, vocabulary, dtype, seed }: SyntheticTokens,
  block = 2 ** 20,
): Generator<Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>> {
  const random = seededRandom(seed);
  const followers = shuffled(vocabulary, random);
  let id = 0;
  for (let made = 0; made < tokens; made += block) {
    const length = Math.min(block, tokens - made);
    const ids = dtype === "uint16" ? new Uint16Array(length) : new Uint32Array(length);
    for (let i = 0; i < length; i++) {
      // Zipf's law: of n words the k-th is met with a share of 1 / (k · ln n).
      id =
        random() < certain
          ? (followers[id] ?? 0)
          : Math.min(vocabulary - 1, Math.floor(vocabulary ** random()) - 1);
      ids[i] = id;
    }
    yield ids;
  }
}
