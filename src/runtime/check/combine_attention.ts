// What pieces of a cache give together, in f64, for some rows and heads.

import { type CachedAttentionShape, cachePieces } from "../../kernels/attend_cache.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, unitRoundoff } from "../../reference/rounding.ts";
import { keysSeenBy, pieceKeys } from "./attend_cache.ts";
import { cachedTokens, floatsAt, pairsOf } from "./cached_tokens.ts";
import type { Coverage } from "./coverage.ts";
import { exponentialError } from "./rows.ts";
import { runsOf } from "./sample.ts";
import type { CheckView, Operands } from "./view.ts";

export async function checkCombineAttention(
  shape: CachedAttentionShape,
  operands: Operands,
  view: CheckView,
): Promise<Coverage> {
  const { batch, queries, heads, valueDim } = shape;
  const deviation = createDeviation();
  const { rows, positionOf } = await cachedTokens(shape, operands);
  const isNew = new Set(rows);
  const pitch = valueDim + 4;
  const pieces = cachePieces(shape);
  const partialsOf = floatsAt(view, operands.bufferOf("partials"));
  const sinks = operands.has("sinks") ? await operands.floats("sinks") : undefined;
  const all = Array.from({ length: batch * queries }, (_, row) => row);
  const pairs = pairsOf(all, heads, view.random);
  const y = await operands.rows("y", heads * valueDim, runsOf(pairs.map(({ row }) => row)));
  for (const { row, head } of pairs) {
    const own = y.at(row).subarray(head * valueDim, (head + 1) * valueDim);
    if (!isNew.has(row)) {
      for (const [d, value] of own.entries()) deviation.same(value, 0, row, head * valueDim + d);
      continue;
    }
    const [begin, end] = keysSeenBy(shape, positionOf(row));
    const first = Math.floor(begin / pieceKeys);
    const count = Math.ceil(end / pieceKeys) - first;
    const from = ((row * heads + head) * pieces + first) * pitch;
    const found = await partialsOf(from, count * pitch);
    const sink = sinks === undefined ? -Infinity : Math.LOG2E * (sinks[head] ?? Number.NaN);
    checkJoined({ found, sink }, own, [row, head * valueDim], operands, deviation);
    await operands.pace(4 * count * pitch);
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: all.length * heads,
    deviation,
  };
}

/** `found` holds pieces, one after the other; a sink is a score in units where exp is exp2. */
function checkJoined(
  { found, sink }: { readonly found: Float32Array; readonly sink: number },
  y: Float32Array,
  [row, column]: readonly [number, number],
  { dtype }: Operands,
  deviation: Deviation,
): void {
  const valueDim = y.length;
  const pitch = valueDim + 4;
  const pieces = found.length / pitch;
  const at = (piece: number, i: number): number => found[piece * pitch + i] ?? Number.NaN;
  const all = Array.from({ length: pieces }, (_, piece) => piece);
  const largest = all.reduce((most, piece) => Math.max(most, at(piece, valueDim)), sink);
  const scales = all.map((piece) => 2 ** (at(piece, valueDim) - largest));
  const ofSink = 2 ** (sink - largest);
  const sinkError =
    ofSink === 0
      ? 0
      : ofSink * (exponentialError(sink - largest) + 4 * unitRoundoff.f32 * Math.abs(sink));
  const worst = all.reduce(
    (most, piece) =>
      Math.max(most, exponentialError(at(piece, valueDim) - largest) * (scales[piece] ?? 0)),
    sinkError,
  );
  let total = ofSink;
  for (const piece of all) total += (scales[piece] ?? 0) * at(piece, valueDim + 1);
  for (const [d, actual] of y.entries()) {
    let [sum, magnitude] = [0, 0];
    for (const piece of all) {
      const term = (scales[piece] ?? 0) * at(piece, d);
      sum += term;
      magnitude += Math.abs(term);
    }
    const expected = sum / total;
    const accepted =
      storedError(expected, dtype) +
      ((4 * pieces + 8) * unitRoundoff.f32 + worst) * (magnitude / total + Math.abs(expected));
    deviation.add(actual, expected, accepted, row, column + d);
  }
}
