// Kernels over caches of keys and values, made again in f64 for some rows and heads from what their operands held.

import { type CachedAttentionShape, cachePieces } from "../../kernels/attend_cache.ts";
import type { CacheShape } from "../../kernels/cache_shape.ts";
import { bytesPerElement } from "../../kernels/storage.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { exponentialError } from "./rows.ts";
import { runsOf } from "./sample.ts";
import { type CheckView, type Operands, readRows, type Rows } from "./view.ts";

const pieceKeys = 64;
const mostPairs = 64;

/** A request's tokens and where they lie, from the tables that the kernel reads. */
interface Requests {
  readonly first: (request: number) => number;
  readonly tokens: (request: number) => number;
  readonly placeOf: (request: number, token: number) => number;
  /** Rows with a new token. */
  readonly rows: readonly number[];
}

async function requestsOf(
  { batch, queries, pageTokens, pages }: CacheShape,
  operands: Operands,
  hasPages: boolean,
): Promise<Requests> {
  const spans = await operands.words("spans");
  const table = hasPages ? await operands.words("pages") : new Uint32Array();
  const first = (request: number): number => spans[2 * request] ?? 0;
  const tokens = (request: number): number => spans[2 * request + 1] ?? 0;
  return {
    first,
    tokens,
    placeOf: (request, token) =>
      (table[request * pages + Math.floor(token / pageTokens)] ?? 0) * pageTokens +
      (token % pageTokens),
    rows: Array.from({ length: batch * queries }, (_, row) => row).filter(
      (row) => row % queries < tokens(Math.floor(row / queries)),
    ),
  };
}

/** Rows of a cache, whose type is not that of other operands. */
async function cached(
  { kvHeads, headDim, cacheDtype }: CacheShape,
  operands: Operands,
  view: CheckView,
  binding: "k" | "v",
  places: Iterable<number>,
): Promise<Rows> {
  return readRows(
    view,
    operands.bufferOf(binding),
    kvHeads * headDim,
    cacheDtype,
    runsOf(places),
    operands.pace,
  );
}

/** All rows: they are few, and each is copied. */
export async function checkAppend(
  shape: CacheShape,
  operands: Operands,
  view: CheckView,
): Promise<Coverage> {
  const { queries, heads, kvHeads, headDim, cacheDtype } = shape;
  const deviation = createDeviation();
  const { rows, first, placeOf } = await requestsOf(shape, operands, true);
  const columns = kvHeads * headDim;
  const qkv = await operands.rows("qkv", (heads + 2 * kvHeads) * headDim, runsOf(rows));
  const placeOfRow = (row: number): number => {
    const request = Math.floor(row / queries);
    return placeOf(request, first(request) + (row % queries));
  };
  const places = rows.map(placeOfRow);
  for (const [binding, start] of [
    ["k", heads * headDim],
    ["v", heads * headDim + columns],
  ] as const) {
    const held = await cached(shape, operands, view, binding, places);
    for (const row of rows) {
      const own = held.at(placeOfRow(row));
      const from = qkv.at(row).subarray(start, start + columns);
      for (const [c, value] of from.entries()) {
        const accepted = cacheDtype === operands.dtype ? 0 : 2 * storedError(value, cacheDtype);
        if (accepted === 0) deviation.same(own[c] ?? Number.NaN, value, row, c);
        else deviation.add(own[c] ?? Number.NaN, value, accepted, row, c);
      }
      await operands.pace(columns);
    }
  }
  return { unit: "rows", checked: rows.length, total: rows.length, deviation };
}

export async function checkAttendCache(
  shape: CachedAttentionShape,
  operands: Operands,
  view: CheckView,
): Promise<Coverage> {
  const { queries, heads, kvHeads, headDim } = shape;
  const deviation = createDeviation();
  const requests = await requestsOf(shape, operands, true);
  const pairs = pairsOf(requests.rows, heads, view.random);
  const pitch = headDim + 4;
  const pieces = cachePieces(shape);
  const partialsOf = floatsAt(view, operands.bufferOf("partials"));
  for (const { row, head } of pairs) {
    const request = Math.floor(row / queries);
    const length = requests.first(request) + requests.tokens(request);
    const visible = requests.first(request) + (row % queries) + 1;
    // Where masks and tails go wrong, and one more.
    const last = Math.floor((visible - 1) / pieceKeys);
    for (const piece of new Set([0, last, Math.floor(view.random() * (last + 1))])) {
      const from = piece * pieceKeys;
      const tokens = Array.from(
        { length: Math.min(pieceKeys, length - from, visible - from) },
        (_, i) => requests.placeOf(request, from + i),
      );
      const k = await cached(shape, operands, view, "k", tokens);
      const v = await cached(shape, operands, view, "v", tokens);
      const qkv = await operands.rows("qkv", (heads + 2 * kvHeads) * headDim, runsOf([row]));
      const place = ((row * heads + head) * pieces + piece) * pitch;
      const kvHead = Math.floor((head * kvHeads) / heads);
      const headOf = (rows: Rows, at: number, own: number): Float32Array =>
        rows.at(at).subarray(own * headDim, (own + 1) * headDim);
      checkPiece(
        headOf(qkv, row, head),
        tokens.map((at) => headOf(k, at, kvHead)),
        tokens.map((at) => headOf(v, at, kvHead)),
        await partialsOf(place, pitch),
        row,
        deviation,
      );
      await operands.pace(4 * pieceKeys * headDim);
    }
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: requests.rows.length * heads,
    deviation,
  };
}

/** `found`: Σ exp2(score - largest) · v, the largest score in units where exp is exp2, Σ exp2(score - largest). */
function checkPiece(
  query: Float32Array,
  keys: readonly Float32Array[],
  values: readonly Float32Array[],
  found: Float32Array,
  row: number,
  deviation: Deviation,
): void {
  const headDim = query.length;
  const scale = Math.LOG2E / Math.sqrt(headDim);
  const scores = keys.map((key) => {
    let [sum, squares] = [0, 0];
    for (const [d, q] of query.entries()) {
      const term = q * (key[d] ?? Number.NaN);
      sum += term;
      squares += term * term;
    }
    const error = sumError(headDim, squares, sum) + 4 * unitRoundoff.f32 * Math.abs(sum);
    return { score: sum * scale, error: error * scale };
  });
  const largest = scores.reduce((most, { score }) => Math.max(most, score), -Infinity);
  const doubt = scores.reduce((most, { error }) => Math.max(most, error), 0);
  const held = found[headDim] ?? Number.NaN;
  deviation.add(held, largest, doubt + storedError(largest, "f32"), row, headDim);
  const weights = scores.map(({ score, error }) => {
    const distance = score - held;
    const weight = 2 ** distance;
    return { weight, error: weight * (Math.LN2 * error + exponentialError(distance)) };
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
  for (let d = 0; d < headDim; d++) {
    sumUp((token) => values[token]?.[d] ?? Number.NaN, found[d] ?? Number.NaN, d);
  }
  sumUp(() => 1, found[headDim + 1] ?? Number.NaN, headDim + 1);
}

export async function checkCombineAttention(
  shape: CachedAttentionShape,
  operands: Operands,
  view: CheckView,
): Promise<Coverage> {
  const { batch, queries, heads, headDim } = shape;
  const deviation = createDeviation();
  const requests = await requestsOf(shape, operands, false);
  const pitch = headDim + 4;
  const pieces = cachePieces(shape);
  const partialsOf = floatsAt(view, operands.bufferOf("partials"));
  const all = Array.from({ length: batch * queries }, (_, row) => row);
  const pairs = pairsOf(all, heads, view.random);
  const y = await operands.rows("y", heads * headDim, runsOf(pairs.map(({ row }) => row)));
  for (const { row, head } of pairs) {
    const request = Math.floor(row / queries);
    const tokens = requests.tokens(request);
    const used = tokens === 0 ? 0 : Math.ceil((requests.first(request) + tokens) / pieceKeys);
    const found = await partialsOf((row * heads + head) * pieces * pitch, used * pitch);
    const own = y.at(row).subarray(head * headDim, (head + 1) * headDim);
    checkJoined(found, own, used, row, head * headDim, operands, deviation);
    await operands.pace(4 * used * pitch);
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: all.length * heads,
    deviation,
  };
}

/** `found` holds pieces, one after the other. */
function checkJoined(
  found: Float32Array,
  y: Float32Array,
  pieces: number,
  row: number,
  column: number,
  { dtype }: Operands,
  deviation: Deviation,
): void {
  const headDim = y.length;
  const at = (piece: number, i: number): number => found[piece * (headDim + 4) + i] ?? Number.NaN;
  const all = Array.from({ length: pieces }, (_, piece) => piece);
  const largest = all.reduce((most, piece) => Math.max(most, at(piece, headDim)), -Infinity);
  const scales = all.map((piece) => 2 ** (at(piece, headDim) - largest));
  const worst = all.reduce(
    (most, piece) =>
      Math.max(most, exponentialError(at(piece, headDim) - largest) * (scales[piece] ?? 0)),
    0,
  );
  let total = 0;
  for (const piece of all) total += (scales[piece] ?? 0) * at(piece, headDim + 1);
  for (const [d, actual] of y.entries()) {
    let [sum, magnitude] = [0, 0];
    for (const piece of all) {
      const term = (scales[piece] ?? 0) * at(piece, d);
      sum += term;
      magnitude += Math.abs(term);
    }
    const expected = pieces === 0 ? 0 : sum / total;
    const accepted =
      storedError(expected, dtype) +
      (pieces === 0
        ? 0
        : ((4 * pieces + 8) * unitRoundoff.f32 + worst) * (magnitude / total + Math.abs(expected)));
    deviation.add(actual, expected, accepted, row, column + d);
  }
}

/** Some rows and heads; the first and the last of each among them. */
function pairsOf(
  rows: readonly number[],
  heads: number,
  random: () => number,
): { readonly row: number; readonly head: number }[] {
  const count = Math.min(mostPairs, rows.length * heads);
  if (count === rows.length * heads) {
    return rows.flatMap((row) => Array.from({ length: heads }, (_, head) => ({ row, head })));
  }
  const pick = (below: number): number => Math.floor(random() * below);
  return Array.from({ length: count }, (_, i) => ({
    row: [rows[0], rows.at(-1)][i] ?? rows[pick(rows.length)] ?? 0,
    head: [heads - 1, 0][i] ?? pick(heads),
  }));
}

/** Parts of a buffer of f32, whatever is stored elsewhere. */
function floatsAt({ read }: CheckView, buffer: string) {
  return async (first: number, count: number): Promise<Float32Array> =>
    count === 0
      ? new Float32Array()
      : new Float32Array(
          (
            await read(buffer, [
              { offset: first * bytesPerElement("f32"), bytes: count * bytesPerElement("f32") },
            ])
          ).buffer,
        );
}
