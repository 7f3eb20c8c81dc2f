// Attention by its definition, in f64, for some rows and heads: of the first, the last and random sequences.

import type { AttentionShape } from "../../kernels/attention_shape.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { exponentialError } from "./rows.ts";
import type { Operands, Rows, Sampling } from "./view.ts";

/** Elements of queries, keys and values that are read, at most, and as many again likewise. */
const readElements = 2 ** 24;
const fewestPairs = 16;
const mostPairs = 256;

interface Pair {
  readonly sequence: number;
  readonly row: number;
  readonly head: number;
}

export async function checkAttention(
  shape: AttentionShape,
  operands: Operands,
  { random, effort }: Sampling,
): Promise<Coverage> {
  const { batch, sequence, heads, kvHeads, headDim } = shape;
  const deviation = createDeviation();
  const columns = (heads + 2 * kvHeads) * headDim;
  const sequences = sequencesOf(batch, sequence * columns, random);
  const pairs = pairsOf(shape, sequences, random, effort.attentionWork);
  for (const own of sequences) {
    const runs = [{ first: own * sequence, count: sequence }];
    const qkv = await operands.rows("qkv", columns, runs);
    const y = await operands.rows("y", heads * headDim, runs);
    for (const pair of pairs.filter((each) => each.sequence === own)) {
      checkPair(shape, pair, qkv, y, operands, deviation);
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

function sequencesOf(batch: number, elements: number, random: () => number): number[] {
  const count = Math.max(1, Math.min(batch, 3, Math.floor(readElements / elements)));
  if (count === 1) return [Math.floor(random() * batch)];
  return [...new Set([0, batch - 1, Math.floor(random() * batch)])].slice(0, count);
}

function pairsOf(
  { sequence, heads, headDim }: AttentionShape,
  sequences: readonly number[],
  random: () => number,
  work: number,
): Pair[] {
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
  const edges = [sequence - 1, 0, 1, 31, 32, 63, 64, sequence - 2].filter(
    (row) => row >= 0 && row < sequence,
  );
  const pick = (below: number): number => Math.floor(random() * below);
  return Array.from({ length: count }, (_, i) => ({
    sequence: sequences[i % sequences.length] ?? 0,
    row: edges[i] ?? pick(sequence),
    head: [heads - 1, 0][i] ?? pick(heads),
  }));
}

function checkPair(
  { sequence, heads, kvHeads, headDim, causal }: AttentionShape,
  { sequence: own, row, head }: Pair,
  qkv: Rows,
  y: Rows,
  { dtype }: Operands,
  deviation: Deviation,
): void {
  const first = own * sequence;
  const visible = causal ? row + 1 : sequence;
  const kvHead = Math.floor((head * kvHeads) / heads);
  const part = (at: number, start: number): Float32Array =>
    qkv.at(first + at).subarray(start * headDim, (start + 1) * headDim);
  const query = part(row, head);
  const scores = new Float64Array(visible);
  const errors = new Float64Array(visible);
  let largest = -Infinity;
  for (let t = 0; t < visible; t++) {
    const key = part(t, heads + kvHead);
    let sum = 0;
    let squares = 0;
    for (let d = 0; d < headDim; d++) {
      const term = (query[d] ?? Number.NaN) * (key[d] ?? Number.NaN);
      sum += term;
      squares += term * term;
    }
    const scale = 1 / Math.sqrt(headDim);
    scores[t] = sum * scale;
    errors[t] = scale * (sumError(headDim, squares, sum) + 4 * unitRoundoff.f32 * Math.abs(sum));
    largest = Math.max(largest, sum * scale);
  }
  const target = new Float64Array(headDim);
  const squared = new Float64Array(headDim);
  let total = 0;
  let heaviest = 0;
  let doubt = 0;
  for (let t = 0; t < visible; t++) {
    const distance = (scores[t] ?? Number.NaN) - largest;
    const weight = Math.exp(distance);
    total += weight;
    heaviest = Math.max(heaviest, weight);
    doubt += weight * ((errors[t] ?? 0) + exponentialError(distance)) ** 2;
    const value = part(t, heads + kvHeads + kvHead);
    for (let d = 0; d < headDim; d++) {
      const v = value[d] ?? Number.NaN;
      target[d] = (target[d] ?? 0) + weight * v;
      squared[d] = (squared[d] ?? 0) + weight * v * v;
    }
  }
  // By Cauchy and Schwarz: what weights that are off by e move a mean by is at most √(mean e²) · its spread.
  const weightError = 2 * Math.sqrt(doubt / total);
  const actual = y.at(first + row);
  for (let d = 0; d < headDim; d++) {
    const expected = (target[d] ?? 0) / total;
    const meanSquare = (squared[d] ?? 0) / total;
    const spread = Math.sqrt(Math.max(0, meanSquare - expected ** 2));
    const accepted =
      storedError(expected, dtype) +
      weightError * spread +
      sumError(visible, (heaviest / total) * meanSquare, expected) +
      8 * storedError(expected, "f32");
    const column = head * headDim + d;
    deviation.add(actual[column] ?? Number.NaN, expected, accepted, first + row, column);
  }
}
