// The backward pass of attention over blocks of keys, in f64, for some rows and heads: with the statistics that the kernel
// read, and what its sums held before.

import type { AttentionBlockGradientShape } from "../../kernels/attention_block_gradient.ts";
import type { AttentionBlockStatisticsShape } from "../../kernels/attention_block_statistics.ts";
import { keyValueColumns } from "../../kernels/block_shape.ts";
import { positionInSlices } from "../../kernels/slices.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { sees } from "../../reference/scores.ts";
import { type QueryOfHead, pairsOf, sequencesOf } from "./attention.ts";
import { type Slope, slopeOfPair, statisticsAt, WeightedRows } from "./attention_gradient.ts";
import type { Coverage } from "./coverage.ts";
import { rowsOf, sampleRows, countRows } from "./sample.ts";
import { productOf, scoreWithError } from "./score.ts";
import type { CheckSampling, Operands, PaddedRows } from "./view.ts";

export async function checkAttentionBlockStatistics(
  { rows, heads, valueDim }: AttentionBlockStatisticsShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const deviation = createDeviation();
  const [logarithms, statistics] = [
    await operands.floats("logarithms"),
    await operands.floats("statistics"),
  ];
  const runs = sampleRows(rows * heads, valueDim, random, effort.rowElements);
  const y = await operands.rows("y", valueDim, runs);
  const dy = await operands.rows("dy", valueDim, runs);
  for (const row of rowsOf(runs)) {
    deviation.same(statistics[2 * row] ?? Number.NaN, logarithms[row] ?? Number.NaN, row, 0);
    const { value, error } = productOf(y.at(row), dy.at(row));
    deviation.add(statistics[2 * row + 1] ?? Number.NaN, value, error + 2 ** -126, row, 1);
    await operands.pace(2 * valueDim);
  }
  return {
    unit: "pairs of a row and a head",
    checked: countRows(runs),
    total: rows * heads,
    deviation,
  };
}

/** Of one sequence. */
interface Tensors {
  readonly qkv: PaddedRows;
  readonly kv: PaddedRows;
  readonly dy: PaddedRows;
  readonly dq: PaddedRows;
  readonly dkv: PaddedRows;
  readonly dqBefore: PaddedRows | undefined;
  readonly dkvBefore: PaddedRows | undefined;
  readonly statistics: Float32Array;
}

export async function checkAttentionBlockGradient(
  shape: AttentionBlockGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { batch, rows, heads, kvHeads, headDim, valueDim, columns } = shape;
  const deviation = createDeviation();
  const keyValues = keyValueColumns(shape);
  const statistics = await operands.floats("statistics");
  const read = columns + 3 * keyValues + heads * (2 * headDim + valueDim);
  const sequences = sequencesOf(batch, rows * read, random);
  const pairs = pairsOf({ ...shape, sequence: rows }, sequences, random, effort.attentionWork / 4);
  for (const own of sequences) {
    const runs = [{ first: own * rows, count: rows }];
    const table = async (name: string, width: number) => operands.rows(name, width, runs);
    const before = async (name: string, width: number, isAdded: true | undefined) =>
      isAdded === true ? operands.rowsBefore(name, width, runs) : undefined;
    const tensors: Tensors = {
      qkv: await table("qkv", columns),
      kv: await table("kv", keyValues),
      dy: await table("dy", heads * valueDim),
      dq: await table("dq", heads * headDim),
      dkv: await table("dkv", keyValues),
      dqBefore: await before("dq", heads * headDim, shape.addsQueries),
      dkvBefore: await before("dkv", keyValues, shape.addsKeys),
      statistics,
    };
    for (const pair of pairs.filter((each) => each.sequence === own)) {
      checkQuery(shape, pair, tensors, deviation);
      checkKey(shape, { ...pair, head: pair.head % kvHeads }, tensors, deviation);
      await operands.pace(8 * (heads / kvHeads) * rows * headDim);
    }
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: batch * rows * heads,
    deviation,
  };
}

/** Undefined where the query does not see the key. */
function slopeAt(
  shape: AttentionBlockGradientShape,
  { sequence, row, head }: QueryOfHead,
  at: number,
  { qkv, kv, dy, statistics }: Tensors,
): Slope | undefined {
  const { rows, heads, kvHeads, headDim, valueDim, queries, keys } = shape;
  const query = positionInSlices(rows, queries, row);
  const key = positionInSlices(rows, keys, at);
  if (!sees(shape, query, key)) return undefined;
  const kvHead = Math.floor((head * kvHeads) / heads);
  const [own, other] = [sequence * rows + row, sequence * rows + at];
  const value = kvHeads * headDim + kvHead * valueDim;
  return slopeOfPair(
    shape,
    scoreWithError(
      shape,
      head,
      [query, key],
      qkv.at(own).subarray(head * headDim, (head + 1) * headDim),
      kv.at(other).subarray(kvHead * headDim, (kvHead + 1) * headDim),
    ),
    statisticsAt(statistics, own * heads + head),
    productOf(
      dy.at(own).subarray(head * valueDim, (head + 1) * valueDim),
      kv.at(other).subarray(value, value + valueDim),
    ),
  );
}

const inF32 = { dtype: "f32" } as const;

function checkQuery(
  shape: AttentionBlockGradientShape,
  pair: QueryOfHead,
  tensors: Tensors,
  deviation: Deviation,
): void {
  const { rows, heads, kvHeads, headDim } = shape;
  const { row, head } = pair;
  const token = pair.sequence * rows + row;
  const column = Math.floor((head * kvHeads) / heads) * headDim;
  const total = new WeightedRows(headDim);
  for (let at = 0; at < rows; at++) {
    const slope = slopeAt(shape, pair, at, tensors);
    if (slope === undefined) continue;
    const key = tensors.kv.at(pair.sequence * rows + at).subarray(column, column + headDim);
    total.add(slope.value, slope.error, key);
  }
  const part = (of: PaddedRows): Float32Array =>
    of.at(token).subarray(head * headDim, (head + 1) * headDim);
  const { dq, dqBefore } = tensors;
  const before = dqBefore && part(dqBefore);
  total.compare(part(dq), token, head * headDim, inF32, deviation, before);
}

/** @param pair whose row is a key's, and whose head is one of keys and values */
function checkKey(
  shape: AttentionBlockGradientShape,
  pair: QueryOfHead,
  tensors: Tensors,
  deviation: Deviation,
): void {
  const { rows, heads, kvHeads, headDim, valueDim } = shape;
  const { row: key, head: kvHead, sequence } = pair;
  const token = sequence * rows + key;
  const [ofKey, ofValue] = [new WeightedRows(headDim), new WeightedRows(valueDim)];
  const group = heads / kvHeads;
  for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
    for (let row = 0; row < rows; row++) {
      const slope = slopeAt(shape, { sequence, row, head }, key, tensors);
      if (slope === undefined) continue;
      const part = (of: PaddedRows, width: number): Float32Array =>
        of.at(sequence * rows + row).subarray(head * width, (head + 1) * width);
      ofKey.add(slope.value, slope.error, part(tensors.qkv, headDim));
      ofValue.add(slope.share, slope.shareError, part(tensors.dy, valueDim));
    }
  }
  const { dkv, dkvBefore } = tensors;
  const compare = (sums: WeightedRows, column: number, width: number): void => {
    const part = (of: PaddedRows): Float32Array => of.at(token).subarray(column, column + width);
    const before = dkvBefore && part(dkvBefore);
    sums.compare(part(dkv), token, column, inF32, deviation, before);
  };
  compare(ofKey, kvHead * headDim, headDim);
  compare(ofValue, kvHeads * headDim + kvHead * valueDim, valueDim);
}
