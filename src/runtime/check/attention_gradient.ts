// The backward pass of attention by its definition, in f64, for some rows and heads: what it needs of each query, and
// gradients of queries, keys and values.

import { type AttentionShape, qkvColumns, valueDimOf } from "../../kernels/attention_shape.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import { scaleOf, scoreSlope, type ScoreShape, visibleRange } from "../../reference/scores.ts";
import { type QueryOfHead, pairsOf, scoreAt, scoresOf, sequencesOf } from "./attention.ts";
import { productOf, type Score } from "./score.ts";
import type { Coverage } from "./coverage.ts";
import { exponentialError } from "./rows.ts";
import type { Operands, PaddedRows, CheckSampling } from "./view.ts";

const u = unitRoundoff.f32;

/** As the kernel says: two numbers of each row and head. */
interface Statistics {
  /** Natural logarithm of the sum of e^score. */
  readonly logarithm: number;
  /** dy · y. */
  readonly product: number;
}

export function statisticsAt(table: Float32Array, at: number): Statistics {
  const [logarithm = Number.NaN, product = Number.NaN] = table.subarray(2 * at, 2 * at + 2);
  return { logarithm: logarithm * Math.LN2, product };
}

function columnsOf(shape: AttentionShape): { readonly keys: number; readonly all: number } {
  const { heads, kvHeads, headDim } = shape;
  return { keys: (heads + kvHeads) * headDim, all: qkvColumns(shape) };
}

export async function checkAttentionStatistics(
  shape: AttentionShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { batch, sequence, heads, headDim } = shape;
  const deviation = createDeviation();
  const valueDim = valueDimOf(shape);
  const columns = columnsOf(shape).all;
  const sinks = operands.has("sinks") ? await operands.floats("sinks") : undefined;
  const statistics = await operands.floats("statistics");
  const sequences = sequencesOf(batch, sequence * (columns + 2 * heads * valueDim), random);
  const pairs = pairsOf(shape, sequences, random, effort.attentionWork);
  for (const own of sequences) {
    const runs = [{ first: own * sequence, count: sequence }];
    const qkv = await operands.rows("qkv", columns, runs);
    const y = await operands.rows("y", heads * valueDim, runs);
    const dy = await operands.rows("dy", heads * valueDim, runs);
    for (const pair of pairs.filter((each) => each.sequence === own)) {
      const { row, head } = pair;
      const token = own * sequence + row;
      const part = (of: PaddedRows): Float32Array =>
        of.at(token).subarray(head * valueDim, (head + 1) * valueDim);
      const scores = scoresOf(shape, pair, qkv);
      const sink = sinks === undefined ? -Infinity : (sinks[head] ?? Number.NaN);
      const largest = scores.values.reduce((most, score) => Math.max(most, score), sink);
      const total = scores.values.reduce(
        (sum, score) => sum + Math.exp(score - largest),
        Math.exp(sink - largest),
      );
      const doubt = scores.errors.reduce((most, error) => Math.max(most, error), 0);
      const logarithm = largest + Math.log(total);
      const found = statisticsAt(statistics, token * heads + head);
      const accepted =
        doubt + 8 * u * (4 + Math.abs(largest) + Math.abs(logarithm)) + sumError(sequence, 0, 1);
      deviation.add(found.logarithm, logarithm, accepted, token, 2 * head);
      const product = productOf(part(y), part(dy));
      deviation.add(found.product, product.value, product.error + 2 ** -126, token, 2 * head + 1);
      await operands.pace(2 * sequence * headDim);
    }
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: batch * sequence * heads,
    deviation,
  };
}

/** Of one sequence. */
interface Tensors {
  readonly qkv: PaddedRows;
  readonly v: PaddedRows;
  readonly valuesAt: { readonly first: number; readonly step: number };
  readonly dy: PaddedRows;
  readonly dqkv: PaddedRows;
  readonly dv: PaddedRows;
  readonly statistics: Float32Array;
}

/** With the statistics that the kernel read. */
export async function checkAttentionGradient(
  shape: AttentionShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { batch, sequence, heads, kvHeads, headDim, values } = shape;
  const deviation = createDeviation();
  const valueDim = valueDimOf(shape);
  const columns = columnsOf(shape);
  const statistics = await operands.floats("statistics");
  const read = 2 * columns.all + heads * valueDim + (values?.columns ?? 0) + kvHeads * valueDim;
  const sequences = sequencesOf(batch, sequence * read, random);
  const pairs = pairsOf(shape, sequences, random, effort.attentionWork / 4);
  for (const own of sequences) {
    const runs = [{ first: own * sequence, count: sequence }];
    const table = async (name: string, width: number) => operands.rows(name, width, runs);
    const [qkv, dqkv] = [await table("qkv", columns.all), await table("dqkv", columns.all)];
    const tensors = {
      qkv,
      dqkv,
      v: values === undefined ? qkv : await table("v", values.columns),
      valuesAt: values ?? { first: columns.keys, step: valueDim },
      dy: await table("dy", heads * valueDim),
      dv: values === undefined ? dqkv : await table("dv", kvHeads * valueDim),
      statistics,
    };
    for (const pair of pairs.filter((each) => each.sequence === own)) {
      checkQuery(shape, pair, tensors, operands, deviation);
      // Its row taken for a key's, and its head for one of those that share it.
      checkKey(shape, { ...pair, head: pair.head % kvHeads }, tensors, operands, deviation);
      await operands.pace(8 * (heads / kvHeads) * sequence * headDim);
    }
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: batch * sequence * heads,
    deviation,
  };
}

/** Share of a key in what a query gives, the gradient of their score's product, and how far right ones may be off. */
export interface Slope {
  readonly share: number;
  readonly shareError: number;
  readonly value: number;
  readonly error: number;
}

function slopeAt(shape: AttentionShape, query: QueryOfHead, t: number, tensors: Tensors): Slope {
  const { sequence, heads, kvHeads } = shape;
  const { qkv, v, valuesAt, dy, statistics } = tensors;
  const { head, row } = query;
  const valueDim = valueDimOf(shape);
  const token = query.sequence * sequence + row;
  const first = valuesAt.first + Math.floor((head * kvHeads) / heads) * valuesAt.step;
  return slopeOfPair(
    shape,
    scoreAt(shape, query, t, qkv),
    statisticsAt(statistics, token * heads + head),
    productOf(
      dy.at(token).subarray(head * valueDim, (head + 1) * valueDim),
      v.at(query.sequence * sequence + t).subarray(first, first + valueDim),
    ),
  );
}

/** @param product of the gradient of the query's result and the key's value */
export function slopeOfPair(
  shape: ScoreShape,
  score: Score,
  own: Statistics,
  product: ReturnType<typeof productOf>,
): Slope {
  const distance = score.score - own.logarithm;
  const share = Math.exp(distance);
  const shareError =
    share * (score.error + exponentialError(distance) + 4 * u * Math.abs(own.logarithm));
  const less = product.value - own.product;
  const lessError = product.error + 4 * u * (Math.abs(product.value) + Math.abs(own.product));
  const slope = scoreSlope(shape, score.product);
  const slopeError = shape.softcap === undefined ? 0 : 128 * u * Math.abs(scaleOf(shape));
  const value = share * less * slope;
  return {
    share,
    shareError,
    value,
    error:
      Math.abs(slope) * (shareError * Math.abs(less) + share * lessError) +
      slopeError * share * Math.abs(less) +
      4 * u * Math.abs(value),
  };
}

/** Σ weight · row by column, and how far a right one may be from it. */
export class WeightedRows {
  readonly sums: Float64Array;
  private readonly squares: Float64Array;
  private readonly doubts: Float64Array;
  private terms = 0;

  constructor(columns: number) {
    this.sums = new Float64Array(columns);
    this.squares = new Float64Array(columns);
    this.doubts = new Float64Array(columns);
  }

  add(weight: number, doubt: number, row: Float32Array): void {
    this.terms += 1;
    for (let d = 0; d < this.sums.length; d++) {
      const term = weight * (row[d] ?? Number.NaN);
      this.sums[d]! += term;
      this.squares[d]! += term * term;
      this.doubts[d]! += doubt * Math.abs(row[d] ?? Number.NaN);
    }
  }

  /** @param before what the sums were added to */
  compare(
    actual: Float32Array,
    row: number,
    column: number,
    { dtype }: Pick<Operands, "dtype">,
    to: Deviation,
    before?: Float32Array,
  ): void {
    for (const [d, sum] of this.sums.entries()) {
      const expected = sum + (before?.[d] ?? 0);
      const accepted =
        this.doubts[d]! +
        sumError(this.terms, this.squares[d]!, sum) +
        storedError(expected, dtype) +
        (before === undefined ? 0 : storedError(sum, "f32"));
      to.add(actual[d] ?? Number.NaN, expected, accepted, row, column + d);
    }
  }
}

function checkQuery(
  shape: AttentionShape,
  pair: QueryOfHead,
  tensors: Tensors,
  operands: Operands,
  deviation: Deviation,
): void {
  const { sequence, heads, kvHeads, headDim } = shape;
  const { row, head } = pair;
  const start = pair.sequence * sequence;
  const keyColumn = (heads + Math.floor((head * kvHeads) / heads)) * headDim;
  const total = new WeightedRows(headDim);
  const [first, end] = visibleRange(shape, sequence, row);
  for (let t = first; t < end; t++) {
    const { value, error } = slopeAt(shape, pair, t, tensors);
    const key = tensors.qkv.at(start + t).subarray(keyColumn, keyColumn + headDim);
    total.add(value, error, key);
  }
  const actual = tensors.dqkv.at(start + row).subarray(head * headDim, (head + 1) * headDim);
  total.compare(actual, start + row, head * headDim, operands, deviation);
}

/** @param pair whose row is a key's, and whose head is one of keys and values */
function checkKey(
  shape: AttentionShape,
  pair: QueryOfHead,
  tensors: Tensors,
  operands: Operands,
  deviation: Deviation,
): void {
  const { sequence, heads, kvHeads, headDim, values } = shape;
  const { row: key, head: kvHead } = pair;
  const valueDim = valueDimOf(shape);
  const start = pair.sequence * sequence;
  const [ofKey, ofValue] = [new WeightedRows(headDim), new WeightedRows(valueDim)];
  const group = heads / kvHeads;
  for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
    for (let row = 0; row < sequence; row++) {
      const [first, end] = visibleRange(shape, sequence, row);
      if (key < first || key >= end) continue;
      const query = { sequence: pair.sequence, row, head };
      const { share, shareError, value, error } = slopeAt(shape, query, key, tensors);
      const part = (of: PaddedRows, width: number): Float32Array =>
        of.at(start + row).subarray(head * width, (head + 1) * width);
      ofKey.add(value, error, part(tensors.qkv, headDim));
      ofValue.add(share, shareError, part(tensors.dy, valueDim));
    }
  }
  const keyColumn = (heads + kvHead) * headDim;
  const own = tensors.dqkv.at(start + key).subarray(keyColumn, keyColumn + headDim);
  ofKey.compare(own, start + key, keyColumn, operands, deviation);
  const valueColumn = (values === undefined ? columnsOf(shape).keys : 0) + kvHead * valueDim;
  const ofHead = tensors.dv.at(start + key).subarray(valueColumn, valueColumn + valueDim);
  ofValue.compare(ofHead, start + key, valueColumn, operands, deviation);
}
