// Attention against pieces of a cache, by its definition in f64, for some rows and heads.

import {
  cacheColumns,
  cachedHeads,
  type CachedAttentionShape,
  cachePieces,
} from "../../kernels/attend_cache.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import { visibleRange } from "../../reference/scores.ts";
import { cacheRows, cachedTokens, floatsAt, pairsOf } from "./cached_tokens.ts";
import type { Coverage } from "./coverage.ts";
import { exponentialError } from "./rows.ts";
import { runsOf } from "./sample.ts";
import { scoreWithError } from "./score.ts";
import type { CheckView, Operands } from "./view.ts";

export const pieceKeys = 64;

/** First key that a query sees, and one past the last. */
export function keysSeenBy(shape: CachedAttentionShape, position: number): [number, number] {
  return visibleRange({ ...shape, causal: true }, position + 1, position);
}

export async function checkAttendCache(
  shape: CachedAttentionShape,
  operands: Operands,
  view: CheckView,
): Promise<Coverage> {
  const { heads, kvHeads, headDim, valueDim, queryColumns, isLatent, cacheDtype, tile } = shape;
  const held = cachedHeads(shape);
  const ownHeads = (held * heads) / kvHeads;
  const firstHead = (tile?.index ?? 0) * ownHeads;
  const deviation = createDeviation();
  const { rows, positionOf, placeOf } = await cachedTokens(shape, operands);
  const pairs = pairsOf(rows, ownHeads, view.random);
  const pitch = valueDim + 4;
  const pieces = cachePieces(shape);
  const partialsOf = floatsAt(view, operands.bufferOf("partials"));
  const q = await operands.rows("q", queryColumns, runsOf(pairs.map(({ row }) => row)));
  for (const { row, head: own } of pairs) {
    const head = firstHead + own;
    const position = positionOf(row);
    const [begin, end] = keysSeenBy(shape, position);
    const [first, last] = [begin, end - 1].map((key) => Math.floor(key / pieceKeys));
    if (first === undefined || last === undefined) continue;
    const query = q.at(row).subarray(head * headDim, (head + 1) * headDim);
    const kvHead = Math.floor((own * kvHeads) / heads);
    const firstValue = isLatent === true ? 0 : held * headDim + kvHead * valueDim;
    // Where masks and tails go wrong, and one more.
    const between = first + Math.floor(view.random() * (last + 1 - first));
    for (const piece of new Set([first, last, between])) {
      const from = Math.max(begin, piece * pieceKeys);
      const count = Math.min(end, (piece + 1) * pieceKeys) - from;
      const tokens = Array.from({ length: count }, (_, i) => from + i);
      const places = tokens.map((token) => placeOf(row, token));
      const cached = await cacheRows(view, operands, cacheColumns(shape), cacheDtype, places);
      const seen = tokens.map((token, i) => {
        const kept = cached.at(places[i] ?? 0);
        const key = kept.subarray(kvHead * headDim, (kvHead + 1) * headDim);
        return {
          ...scoreWithError({ ...shape, causal: true }, head, [position, token], query, key),
          value: kept.subarray(firstValue, firstValue + valueDim),
        };
      });
      const place = ((row * heads + head) * pieces + piece) * pitch;
      checkPiece(seen, await partialsOf(place, pitch), row, deviation);
      await operands.pace(4 * pieceKeys * headDim);
    }
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: rows.length * ownHeads,
    deviation,
  };
}

interface Seen {
  readonly score: number;
  readonly error: number;
  readonly value: Float32Array;
}

/** `found`: Σ exp2(score - largest) · v, the largest score in units where exp is exp2, Σ exp2(score - largest). */
function checkPiece(
  seen: readonly Seen[],
  found: Float32Array,
  row: number,
  deviation: Deviation,
): void {
  const valueDim = found.length - 4;
  const largest = Math.LOG2E * seen.reduce((most, { score }) => Math.max(most, score), -Infinity);
  const doubt = Math.LOG2E * seen.reduce((most, { error }) => Math.max(most, error), 0);
  const held = found[valueDim] ?? Number.NaN;
  deviation.add(held, largest, doubt + storedError(largest, "f32"), row, valueDim);
  const weights = seen.map(({ score, error }) => {
    const distance = Math.LOG2E * score - held;
    const weight = 2 ** distance;
    return { weight, error: weight * (error + exponentialError(distance)) };
  });
  const sumUp = (of: (token: number) => number, actual: number, column: number): void => {
    let [sum, squares, error] = [0, 0, 0];
    for (const [token, each] of weights.entries()) {
      const factor = of(token);
      sum += each.weight * factor;
      squares += (each.weight * factor) ** 2;
      error += (each.error * factor) ** 2;
    }
    // Errors of weights are of either sign, but for that of the largest score, which all have in common.
    const accepted =
      3 * Math.sqrt(error) + sumError(weights.length, squares, sum) + 4 * storedError(sum, "f32");
    deviation.add(actual, sum, accepted, row, column);
  };
  for (let d = 0; d < valueDim; d++) {
    sumUp((token) => seen[token]?.value[d] ?? Number.NaN, found[d] ?? Number.NaN, d);
  }
  sumUp(() => 1, found[valueDim + 1] ?? Number.NaN, valueDim + 1);
}
