// Attention by its definition, in f64, for some rows and heads: of the first, the last and random sequences.

import { type AttentionShape, valueDimOf } from "../../kernels/attention_shape.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import { visibleRange } from "../../reference/scores.ts";
import type { Coverage } from "./coverage.ts";
import { exponentialError } from "./rows.ts";
import { type Score, scoreWithError } from "./score.ts";
import type { Operands, PaddedRows, CheckSampling } from "./view.ts";

/** Elements of queries, keys and values that are read, at most, and as many again likewise. */
const readElements = 2 ** 24;
const fewestPairs = 16;
const mostPairs = 256;

export interface QueryOfHead {
  readonly sequence: number;
  readonly row: number;
  readonly head: number;
}

export async function checkAttention(
  shape: AttentionShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { batch, sequence, heads, kvHeads, headDim, values } = shape;
  const deviation = createDeviation();
  const valueDim = valueDimOf(shape);
  const keyColumns = (heads + kvHeads) * headDim;
  const columns = keyColumns + (values === undefined ? kvHeads * valueDim : 0);
  const sinks = operands.has("sinks") ? await operands.floats("sinks") : undefined;
  const sequences = sequencesOf(batch, sequence * (columns + (values?.columns ?? 0)), random);
  const pairs = pairsOf(shape, sequences, random, effort.attentionWork);
  for (const own of sequences) {
    const runs = [{ first: own * sequence, count: sequence }];
    const qkv = await operands.rows("qkv", columns, runs);
    const v = values === undefined ? qkv : await operands.rows("v", values.columns, runs);
    const y = await operands.rows("y", heads * valueDim, runs);
    const valuesAt = values ?? { first: keyColumns, step: valueDim };
    for (const pair of pairs.filter((each) => each.sequence === own)) {
      checkPair(shape, pair, { qkv, v, y, valuesAt, sinks }, operands, deviation);
      await operands.pace(4 * sequence * headDim);
    }
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: batch * sequence * heads,
    deviation,
  };
}

export function sequencesOf(batch: number, elements: number, random: () => number): number[] {
  const count = Math.max(1, Math.min(batch, 3, Math.floor(readElements / elements)));
  if (count === 1) return [Math.floor(random() * batch)];
  return [...new Set([0, batch - 1, Math.floor(random() * batch)])].slice(0, count);
}

export function pairsOf(
  { sequence, heads, headDim, window = 1, chunk = 1 }: AttentionShape,
  sequences: readonly number[],
  random: () => number,
  work: number,
): QueryOfHead[] {
  const all = sequences.length * sequence * heads;
  const affordable = Math.floor(work / (2 * sequence * headDim));
  const count = Math.min(all, mostPairs, Math.max(fewestPairs, affordable));
  if (count === all) {
    return sequences.flatMap((own) =>
      Array.from({ length: sequence * heads }, (_, i) => ({
        sequence: own,
        row: Math.floor(i / heads),
        head: i % heads,
      })),
    );
  }
  // Where masks, tiles and tails go wrong.
  const tiles = [sequence - 1, 0, 1, 31, 32, 63, 64, sequence - 2];
  const edges = [...tiles, window - 1, window, chunk - 1, chunk].filter(
    (row) => row >= 0 && row < sequence,
  );
  const pick = (below: number): number => Math.floor(random() * below);
  return Array.from({ length: count }, (_, i) => ({
    sequence: sequences[i % sequences.length] ?? 0,
    row: edges[i] ?? pick(sequence),
    head: [heads - 1, 0][i] ?? pick(heads),
  }));
}

/** Of one sequence. */
interface Tensors {
  readonly qkv: PaddedRows;
  readonly v: PaddedRows;
  readonly y: PaddedRows;
  readonly valuesAt: { readonly first: number; readonly step: number };
  readonly sinks: Float32Array | undefined;
}

/** Scores of a query, and how far right ones may be from them. */
interface Scores {
  readonly first: number;
  readonly values: Float64Array;
  readonly errors: Float64Array;
}

export function scoresOf(
  shape: AttentionShape,
  { sequence: own, row, head }: QueryOfHead,
  qkv: PaddedRows,
): Scores {
  const { sequence } = shape;
  const [first, end] = visibleRange(shape, sequence, row);
  const values = new Float64Array(end - first);
  const errors = new Float64Array(end - first);
  for (let t = first; t < end; t++) {
    const score = scoreAt(shape, { sequence: own, row, head }, t, qkv);
    values[t - first] = score.score;
    errors[t - first] = score.error;
  }
  return { first, values, errors };
}

/** Of the query that `pair` names and the key of token `t` of its sequence. */
export function scoreAt(
  shape: AttentionShape,
  { sequence: own, row, head }: QueryOfHead,
  t: number,
  qkv: PaddedRows,
): Score {
  const { sequence, heads, kvHeads, headDim } = shape;
  const start = own * sequence;
  const kvHead = Math.floor((head * kvHeads) / heads);
  const part = (at: number, index: number): Float32Array =>
    qkv.at(start + at).subarray(index * headDim, (index + 1) * headDim);
  return scoreWithError(shape, head, [row, t], part(row, head), part(t, heads + kvHead));
}

function checkPair(
  shape: AttentionShape,
  pair: QueryOfHead,
  { qkv, v, y, valuesAt, sinks }: Tensors,
  { dtype }: Operands,
  deviation: Deviation,
): void {
  const { sequence, heads, kvHeads } = shape;
  const { row, head } = pair;
  const valueDim = valueDimOf(shape);
  const start = pair.sequence * sequence;
  const scores = scoresOf(shape, pair, qkv);
  const sink = sinks === undefined ? -Infinity : (sinks[head] ?? Number.NaN);
  const largest = scores.values.reduce((most, score) => Math.max(most, score), sink);
  const valueColumn = valuesAt.first + Math.floor((head * kvHeads) / heads) * valuesAt.step;
  const target = new Float64Array(valueDim);
  const squared = new Float64Array(valueDim);
  let total = Math.exp(sink - largest);
  let heaviest = 0;
  let doubt =
    sinks === undefined
      ? 0
      : total * (4 * unitRoundoff.f32 * Math.abs(sink) + exponentialError(sink - largest)) ** 2;
  for (const [i, score] of scores.values.entries()) {
    const distance = score - largest;
    const weight = Math.exp(distance);
    total += weight;
    heaviest = Math.max(heaviest, weight);
    doubt += weight * ((scores.errors[i] ?? 0) + exponentialError(distance)) ** 2;
    const value = v.at(start + scores.first + i).subarray(valueColumn, valueColumn + valueDim);
    for (let d = 0; d < valueDim; d++) {
      const own = value[d] ?? Number.NaN;
      target[d] = (target[d] ?? 0) + weight * own;
      squared[d] = (squared[d] ?? 0) + weight * own * own;
    }
  }
  // By Cauchy and Schwarz: what weights that are off by e move a mean by is at most √(mean e²) · its spread.
  const weightError = 2 * Math.sqrt(doubt / total);
  const actual = y.at(start + row);
  for (let d = 0; d < valueDim; d++) {
    const expected = (target[d] ?? 0) / total;
    const meanSquare = (squared[d] ?? 0) / total;
    const spread = Math.sqrt(Math.max(0, meanSquare - expected ** 2));
    const accepted =
      storedError(expected, dtype) +
      weightError * spread +
      sumError(scores.values.length, (heaviest / total) * meanSquare, expected) +
      8 * storedError(expected, "f32");
    const column = head * valueDim + d;
    deviation.add(actual[column] ?? Number.NaN, expected, accepted, start + row, column);
  }
}
