// Attention over one of several blocks of keys, in f64 for some rows and heads: from the softmax that the block before left,
// and the keys and values of this one.

import type { AttentionStepShape } from "../../kernels/attention_block.ts";
import { stateColumns } from "../../kernels/attention_block.ts";
import { type AttentionBlockShape, keyValueColumns } from "../../kernels/block_shape.ts";
import { positionInSlices } from "../../kernels/slices.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import { sees } from "../../reference/scores.ts";
import { type QueryOfHead, pairsOf, sequencesOf } from "./attention.ts";
import type { Coverage } from "./coverage.ts";
import { exponentialError } from "./rows.ts";
import { type Score, scoreWithError } from "./score.ts";
import type { CheckSampling, Operands, PaddedRows } from "./view.ts";

/** Below it no score was seen. */
const leastScore = -1e30;

/** An online softmax after some keys, in units of e. */
interface Softmax {
  readonly logarithm: number;
  /** The values' mean by their weights. */
  readonly mean: Float64Array;
}

interface Tensors {
  readonly qkv: PaddedRows;
  readonly kv: PaddedRows;
  readonly before: PaddedRows | undefined;
  readonly sinks: Float32Array | undefined;
  readonly after: (pair: QueryOfHead) => Softmax;
}

export async function checkAttentionBlock(
  shape: AttentionStepShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { batch, rows, heads, headDim, valueDim, columns, at } = shape;
  const deviation = createDeviation();
  const held = stateColumns(shape);
  const sinks = operands.has("sinks") ? await operands.floats("sinks") : undefined;
  const logarithms = at === "last" ? await operands.floats("logarithms") : undefined;
  const sampled = { ...shape, sequence: rows };
  const sequences = sequencesOf(batch, rows * (columns + keyValueColumns(shape) + held), random);
  const pairs = pairsOf(sampled, sequences, random, effort.attentionWork);
  for (const own of sequences) {
    const runs = [{ first: own * rows, count: rows }];
    const state = at === "last" ? undefined : await operands.rows("state", held, runs);
    const y = at === "last" ? await operands.rows("y", heads * valueDim, runs) : undefined;
    const tensors: Tensors = {
      qkv: await operands.rows("qkv", columns, runs),
      kv: await operands.rows("kv", keyValueColumns(shape), runs),
      before: at === "first" ? undefined : await operands.rowsBefore("state", held, runs),
      sinks,
      after({ row, head }) {
        const token = own * rows + row;
        if (state !== undefined) return softmaxIn(shape, state.at(token), head);
        return {
          logarithm: (logarithms?.[token * heads + head] ?? Number.NaN) * Math.LN2,
          mean: partOf(y?.at(token), head, valueDim),
        };
      },
    };
    for (const pair of pairs.filter((each) => each.sequence === own)) {
      checkPair(shape, pair, tensors, operands, deviation);
      await operands.pace(4 * rows * headDim);
    }
  }
  const total = batch * rows * heads;
  return { unit: "pairs of a row and a head", checked: pairs.length, total, deviation };
}

function partOf(row: Float32Array | undefined, head: number, width: number): Float64Array {
  return Float64Array.from(row?.subarray(head * width, (head + 1) * width) ?? []);
}

function softmaxIn({ valueDim }: AttentionBlockShape, state: Float32Array, head: number): Softmax {
  const part = partOf(state, head, valueDim + 4);
  const [largest = Number.NaN, total = Number.NaN] = part.subarray(valueDim);
  return {
    logarithm: largest < leastScore ? -Infinity : largest * Math.LN2 + Math.log(total),
    mean: part.subarray(0, valueDim).map((sum) => sum / total),
  };
}

/** Something with a weight in the softmax: a key, a sink, or all keys of blocks before. */
interface Summand {
  readonly score: number;
  readonly error: number;
  readonly value: ArrayLike<number>;
}

function summandsOf(
  shape: AttentionBlockShape,
  { sequence, row, head }: QueryOfHead,
  { qkv, kv, before, sinks }: Tensors,
): Summand[] {
  const { rows, heads, kvHeads, headDim, valueDim, queries } = shape;
  const kvHead = Math.floor((head * kvHeads) / heads);
  const query = qkv.at(sequence * rows + row).subarray(head * headDim, (head + 1) * headDim);
  const position = positionInSlices(rows, queries, row);
  const found: Summand[] = [];
  const nothing = new Float64Array(valueDim);
  if (before !== undefined) {
    const { logarithm, mean } = softmaxIn(shape, before.at(sequence * rows + row), head);
    if (logarithm > -Infinity) found.push({ score: logarithm, error: 0, value: mean });
  }
  const sink = sinks?.[head];
  if (sink !== undefined) {
    found.push({ score: sink, error: 4 * unitRoundoff.f32 * Math.abs(sink), value: nothing });
  }
  for (let at = 0; at < rows; at++) {
    const key = positionInSlices(rows, shape.keys, at);
    if (!sees(shape, position, key)) continue;
    const token = kv.at(sequence * rows + at);
    const own = token.subarray(kvHead * headDim, (kvHead + 1) * headDim);
    const { score, error }: Score = scoreWithError(shape, head, [position, key], query, own);
    const first = kvHeads * headDim + kvHead * valueDim;
    found.push({ score, error, value: token.subarray(first, first + valueDim) });
  }
  return found;
}

function checkPair(
  shape: AttentionStepShape,
  pair: QueryOfHead,
  tensors: Tensors,
  { dtype }: Operands,
  deviation: Deviation,
): void {
  const { rows, valueDim, at } = shape;
  const summands = summandsOf(shape, pair, tensors);
  const { logarithm, mean } = tensors.after(pair);
  const token = pair.sequence * rows + pair.row;
  if (summands.length === 0) {
    deviation.same(logarithm, -Infinity, token, pair.head);
    return;
  }
  const largest = Math.max(...summands.map(({ score }) => score));
  const weights = summands.map(({ score }) => Math.exp(score - largest));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const doubt = summands.reduce(
    (sum, { score, error }, i) =>
      sum + (weights[i] ?? 0) * (error + exponentialError(score - largest)) ** 2,
    0,
  );
  const scoreError = Math.max(...summands.map(({ error }) => error));
  const expected = largest + Math.log(total);
  const rounded = 8 * unitRoundoff.f32 * (4 + Math.abs(largest) + Math.abs(expected));
  const accepted = scoreError + rounded + sumError(summands.length, 0, 1);
  deviation.add(logarithm, expected, accepted, token, pair.head);
  // By Cauchy and Schwarz, as of attention in one piece.
  const weightError = 2 * Math.sqrt(doubt / total);
  for (let d = 0; d < valueDim; d++) {
    let [value, meanSquare] = [0, 0];
    for (const [i, summand] of summands.entries()) {
      const own = summand.value[d] ?? Number.NaN;
      value += ((weights[i] ?? 0) / total) * own;
      meanSquare += ((weights[i] ?? 0) / total) * own ** 2;
    }
    const spread = Math.sqrt(Math.max(0, meanSquare - value ** 2));
    const error =
      storedError(value, at === "last" ? dtype : "f32") +
      weightError * spread +
      sumError(summands.length, (1 / total) * meanSquare, value) +
      8 * storedError(value, "f32");
    deviation.add(mean[d] ?? Number.NaN, value, error, token, pair.head * valueDim + d);
  }
}
