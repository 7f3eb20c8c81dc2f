// What attention makes of products of queries and keys, in f64: which keys a query sees, and the scores of those.

import type { AttentionShape } from "../kernels/attention_shape.ts";

export type ScoreShape = Pick<
  AttentionShape,
  "headDim" | "causal" | "scale" | "softcap" | "window" | "chunk" | "alibi"
>;

/** First position that a query sees, and one past the last: all between them are seen. */
export function visibleRange(shape: ScoreShape, sequence: number, query: number): [number, number] {
  const { causal, window = Infinity, chunk = sequence } = shape;
  const begin = Math.floor(query / chunk) * chunk;
  const first = Math.max(0, query - window + 1, begin);
  const end = Math.min(sequence, begin + chunk, causal ? query + 1 : query + window);
  return [first, end];
}

/** Whether the query at one position sees the key at another. */
export function sees(
  { causal, window = Infinity, chunk = Infinity }: Pick<ScoreShape, "causal" | "window" | "chunk">,
  query: number,
  key: number,
): boolean {
  const distance = query - key;
  return (
    (causal ? distance >= 0 : -distance < window) &&
    distance < window &&
    Math.floor(query / chunk) === Math.floor(key / chunk)
  );
}

export function scaleOf({ scale, headDim }: Pick<ScoreShape, "scale" | "headDim">): number {
  return scale ?? 1 / Math.sqrt(headDim);
}

/** @param product of a query of that head and a key */
export function scoreOf(
  shape: ScoreShape,
  head: number,
  query: number,
  key: number,
  product: number,
): number {
  const { softcap, alibi } = shape;
  const scaled = product * scaleOf(shape);
  const capped = softcap === undefined ? scaled : softcap * Math.tanh(scaled / softcap);
  if (alibi === undefined) return capped;
  return capped - slopeOf(alibi.first + head, alibi.heads) * Math.abs(query - key);
}

/** Derivative of the score by the product. */
export function scoreSlope(shape: ScoreShape, product: number): number {
  const { softcap } = shape;
  const scale = scaleOf(shape);
  return softcap === undefined ? scale : scale * (1 - Math.tanh((product * scale) / softcap) ** 2);
}

/**
 * Press et al., Train Short, Test Long, 2022: 2^(-8/n), 2^(-16/n), … for n heads; where n is no power of two, those of the
 * power below, then every other one of twice that power.
 */
export function slopeOf(head: number, heads: number): number {
  const power = 2 ** Math.floor(Math.log2(heads));
  return head < power
    ? 2 ** ((-8 / power) * (head + 1))
    : 2 ** ((-4 / power) * (2 * (head - power) + 1));
}
