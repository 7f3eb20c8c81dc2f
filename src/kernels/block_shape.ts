// What attention of a rank's queries over the keys and values of one rank depends on, where ranks share sequences.

import { keysSeenConstants, scoreConstants, type ScoreRules } from "./attention_shape.ts";
import type { SliceStarts } from "./slices.ts";

export interface AttentionBlockShape extends ScoreRules {
  /** Sequences. */
  readonly batch: number;
  /** Tokens of each that a rank has, in two slices; even. */
  readonly rows: number;
  /** Tokens of a whole sequence. */
  readonly sequence: number;
  /** Query heads on this rank. */
  readonly heads: number;
  /** Key and value heads on this rank; divides `heads`. */
  readonly kvHeads: number;
  /** Of a query and a key. A multiple of 4, at most 256. */
  readonly headDim: number;
  /** Of a value, likewise. */
  readonly valueDim: number;
  /** Of binding `qkv`, whose first are queries; a multiple of 4. */
  readonly columns: number;
  readonly queries: SliceStarts;
  readonly keys: SliceStarts;
}

/** Keys, then values of all heads: columns of `kv`. */
export function keyValueColumns({
  kvHeads,
  headDim,
  valueDim,
}: Pick<AttentionBlockShape, "kvHeads" | "headDim" | "valueDim">): number {
  return kvHeads * (headDim + valueDim);
}

export const blockPreludes = [
  "attention/keys_alone",
  "attention/keys_seen",
  "attention/scores",
  "attention/blocks",
  "attention/gradient_tiles",
] as const;

export function blockConstants(shape: AttentionBlockShape): Record<string, number> {
  const { rows, queries, keys, valueDim, columns } = shape;
  return {
    ...keysSeenConstants(shape),
    ...scoreConstants(shape, valueDim),
    QKV_QUADS: columns / 4,
    ROWS: rows,
    FIRST_QUERIES: queries[0],
    SECOND_QUERIES: queries[1],
    FIRST_KEYS: keys[0],
    SECOND_KEYS: keys[1],
  };
}

/** Pairs of a query and a key that it sees, of one head and sequence: as areas, of which a diagonal halves a square. */
export function pairsOfBlock(shape: AttentionBlockShape): number {
  const { rows, queries, keys } = shape;
  let pairs = 0;
  for (const query of queries)
    for (const key of keys) pairs += pairsSeen(shape, query, key, rows / 2);
  return pairs;
}

function pairsSeen(
  { sequence, causal, window = Infinity, chunk = sequence }: AttentionBlockShape,
  query: number,
  key: number,
  count: number,
): number {
  let pairs = 0;
  const first = Math.floor(Math.max(query, key) / chunk) * chunk;
  for (let start = first; start < Math.min(query, key) + count; start += chunk) {
    const own = clipped(query, count, start, chunk);
    const seen = clipped(key, count, start, chunk);
    const atLeast = (distance: number) => areaBehind(own, seen, distance);
    pairs += atLeast(causal ? 0 : -window) - atLeast(window);
  }
  return pairs;
}

type Range = readonly [first: number, end: number];

function clipped(first: number, count: number, start: number, length: number): Range {
  const from = Math.max(first, start);
  return [from, Math.max(from, Math.min(first + count, start + length))];
}

/** Area of the pairs whose query lies at least `distance` behind its key. */
function areaBehind([q0, q1]: Range, [k0, k1]: Range, distance: number): number {
  // ∫∫ of a triangle that grows from a corner, by inclusion and exclusion.
  const corner = (q: number, k: number): number => Math.max(0, q - k - distance) ** 2 / 2;
  if (distance === -Infinity) return (q1 - q0) * (k1 - k0);
  if (distance === Infinity) return 0;
  return corner(q1, k0) - corner(q0, k0) - corner(q1, k1) + corner(q0, k1);
}
