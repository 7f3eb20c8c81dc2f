// Queries and keys before attention, made again in f64: normalized and turned by angles of their positions, which are
// computed here from the table's own first turns.

import { positionOf } from "../../kernels/positions.ts";
import type { RotaryShape } from "../../kernels/rotary.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { turnedBack } from "../../reference/backward/rotary.ts";
import { normalizeHeads } from "../../reference/head_norm.ts";
import {
  placesOf,
  temperatureAt,
  turnHead,
  type TurnOf,
  turnsInTable,
} from "../../reference/rotary.ts";
import { storedError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { countRows, rowsOf, type Run, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

export async function checkRotary(
  shape: RotaryShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { rows, sequence, heads, kvHeads, headDim, turn, temperature, back } = shape;
  const columns = (heads + kvHeads) * headDim;
  const values = kvHeads * (back?.valueDim ?? 0);
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const sourceOf = await readSources(shape, operands, runs);
  const gains = operands.has("gains") ? await operands.tensor("gains") : undefined;
  const squares = operands.has("squares") ? await operands.floats("squares") : undefined;
  const table = operands.has("rotations") ? await operands.floats("rotations") : undefined;
  const spans = operands.has("spans") ? await operands.words("spans") : undefined;
  const y = await operands.rows("y", columns + values, runs);
  const dv = back && (await operands.rows("dv", values, runs));
  for (const row of rowsOf(runs)) {
    const own = sourceOf(row);
    const errors = normalized(shape, own, gains, squares?.subarray(4 * row, 4 * row + 2));
    if (turn !== undefined && table !== undefined) {
      const forth = turnsInTable(table, positionOf(shape, row, spans), sequence, turn.dims);
      const turnOf = back === undefined ? forth : turnedBack(forth);
      for (let head = 0; head < heads + kvHeads; head++) {
        turnWithErrors(own, errors, head * headDim, shape, turnOf);
      }
    }
    if (temperature !== undefined) {
      const by = temperatureAt(temperature, positionOf(shape, row, spans));
      temperWithErrors(own, errors, heads * headDim, by, temperature.scale);
    }
    compare(y.at(row), own, errors, row, operands, deviation);
    for (const [c, value] of (dv?.at(row) ?? []).entries()) {
      deviation.same(y.at(row)[columns + c] ?? Number.NaN, value, row, columns + c);
    }
    await operands.pace(16 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

/** What the kernel reads of a row: queries, then keys. */
async function readSources(
  { heads, kvHeads, headDim, columns, latent }: RotaryShape,
  operands: Operands,
  runs: readonly Run[],
): Promise<(row: number) => Float64Array> {
  const x = await operands.rows("x", columns, runs);
  const width = (heads + kvHeads) * headDim;
  if (latent === undefined) return (row) => Float64Array.from(x.at(row).subarray(0, width));
  const { plainDim, valueDim, rank } = latent;
  const kv = await operands.rows("kv", kvHeads * (plainDim + valueDim), runs);
  const down = await operands.rows("down", rank + headDim - plainDim, runs);
  return (row) => {
    const own = new Float64Array(width);
    own.set(x.at(row).subarray(0, columns));
    for (let head = 0; head < kvHeads; head++) {
      const place = columns + head * headDim;
      const key = head * (plainDim + valueDim);
      own.set(kv.at(row).subarray(key, key + plainDim), place);
      own.set(down.at(row).subarray(rank, rank + headDim - plainDim), place + plainDim);
    }
    return own;
  };
}

/**
 * Normalizes a row in place.
 *
 * @returns how far each number may be off
 */
function normalized(
  { heads, kvHeads, headDim, norm }: RotaryShape,
  row: Float64Array,
  gains: Float32Array | undefined,
  squares: Float32Array | undefined,
): Float64Array {
  const errors = new Float64Array(row.length);
  if (norm === undefined) return errors;
  const isOwn = norm.kind === "all-heads" || norm.kind === "each-head";
  const parts = [
    { first: 0, count: heads, firstGain: 0 },
    { first: heads, count: kvHeads, firstGain: isOwn ? heads : 1 },
  ];
  for (const [at, { first, count, firstGain }] of parts.entries()) {
    const part = row.subarray(first * headDim, (first + count) * headDim);
    const offsets = norm.kind === "each-head" ? offsetsOf(part, headDim) : undefined;
    const meanSquare = squares?.[at];
    normalizeHeads(part, norm, {
      heads: count,
      headDim,
      ...(gains && { gains: gains.subarray(firstGain * headDim) }),
      ...(meanSquare !== undefined && { meanSquare }),
    });
    for (const [i, value] of part.entries()) {
      const gain = gains?.[firstGain * headDim + (isOwn ? i : i % headDim)] ?? 1;
      const offset = offsets?.[Math.floor(i / headDim)] ?? 0;
      // As in `norms.ts`: squares are of one sign; a mean that is taken off costs what it exceeds the deviation by.
      const share = 1 + offset ** 2;
      errors[first * headDim + i] =
        unitRoundoff.f32 *
        ((8 + (Math.sqrt(headDim) / 2) * share) * Math.abs(value) +
          (offset === 0 ? 0 : 4 * (1 + Math.sqrt(headDim) * offset) * Math.abs(gain)));
    }
  }
  return errors;
}

/** Of each head its mean, in shares of its deviation. */
function offsetsOf(part: Float64Array, headDim: number): number[] {
  return Array.from({ length: part.length / headDim }, (_, head) => {
    const own = part.subarray(head * headDim, (head + 1) * headDim);
    const mean = own.reduce((sum, value) => sum + value, 0) / headDim;
    const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / headDim;
    return Math.min(2 ** 10, Math.abs(mean) / Math.sqrt(Math.max(variance, 2 ** -126)));
  });
}

/** Turns one head of a row in place, and what its numbers may be off by with them. */
function turnWithErrors(
  row: Float64Array,
  errors: Float64Array,
  first: number,
  { headDim, turn }: RotaryShape,
  turnOf: TurnOf,
): void {
  if (turn === undefined) return;
  const head = row.subarray(first, first + headDim);
  const own = errors.subarray(first, first + headDim);
  for (let pair = 0; pair < turn.dims / 2; pair++) {
    const [a, b] = placesOf(turn, pair);
    const turned = turnOf(pair);
    const [cosine, sine] = [Math.abs(turned[0]), Math.abs(turned[1])];
    const length = Math.hypot(cosine, sine);
    const [left, right] = [Math.abs(head[a] ?? 0), Math.abs(head[b] ?? 0)];
    // Three roundings of a cosine and of a sine, two of each product.
    const lost = 6 * unitRoundoff.f32 * length * (left + right);
    const [ofLeft, ofRight] = [own[a] ?? 0, own[b] ?? 0];
    own[a] = cosine * ofLeft + sine * ofRight + lost;
    own[b] = cosine * ofRight + sine * ofLeft + lost;
  }
  turnHead(head, turn, turnOf);
}

/** Multiplies a row's queries in place, and what their numbers may be off by with them. */
function temperWithErrors(
  row: Float64Array,
  errors: Float64Array,
  queries: number,
  by: number,
  scale: number,
): void {
  // WGSL grants a logarithm 2^-21 near 1 and three units in the last place elsewhere; two roundings more.
  const lost = scale * 2 ** -21 + 6 * unitRoundoff.f32 * by;
  for (let i = 0; i < queries; i++) {
    errors[i] = by * (errors[i] ?? 0) + lost * Math.abs(row[i] ?? 0);
    row[i]! *= by;
  }
}

function compare(
  actual: Float32Array,
  expected: Float64Array,
  errors: Float64Array,
  row: number,
  { dtype }: Operands,
  deviation: Deviation,
): void {
  for (const [c, value] of expected.entries()) {
    const accepted = storedError(value, dtype) + (errors[c] ?? 0) + 2 * storedError(value, "f32");
    deviation.add(actual[c] ?? Number.NaN, value, accepted, row, c);
  }
}
