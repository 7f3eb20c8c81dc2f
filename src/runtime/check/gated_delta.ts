// Linear attention, made again in f64: convolutions on sampled rows, the gated delta rule for some columns of some heads
// through whole sequences.

import type { CausalConvShape } from "../../kernels/causal_conv.ts";
import type { GatedDeltaShape } from "../../kernels/gated_delta.ts";
import { activationFunctions, sigmoid } from "../../reference/activations.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { advance, lengthOf, recall, softplus } from "../../reference/gated_delta.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import { sequencesOf } from "./attention.ts";
import type { Coverage } from "./coverage.ts";
import { activationError } from "./finish.ts";
import { checkPadding } from "./rows.ts";
import { allRows, countRows, type Run, rowsOf, runsOf, sampleRows } from "./sample.ts";
import type { Operands, PaddedRows, CheckSampling } from "./view.ts";

const silu = activationFunctions("silu");

export async function checkCausalConv(
  { rows, columns, taps, sequence }: CausalConvShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const seenBy = (row: number): number[] =>
    Array.from({ length: Math.min((row % sequence) + 1, taps) }, (_, back) => row - back);
  const x = await operands.rows("x", columns, runsOf([...rowsOf(runs)].flatMap(seenBy)));
  const w = await operands.rows("w", columns, allRows(taps));
  const y = await operands.rows("y", columns, runs);
  for (const row of rowsOf(runs)) {
    const terms = seenBy(row).map((source, back) => [x.at(source), w.at(taps - 1 - back)] as const);
    const actual = y.at(row);
    for (let c = 0; c < columns; c++) {
      let [sum, squares] = [0, 0];
      for (const [values, by] of terms) {
        const term = (values[c] ?? Number.NaN) * (by[c] ?? Number.NaN);
        sum += term;
        squares += term ** 2;
      }
      const expected = silu(sum);
      const accepted =
        1.13 * sumError(taps, squares, sum) +
        activationError(sum, { activation: "silu" }) +
        2 * storedError(expected, "f32") +
        storedError(expected, operands.dtype);
      deviation.add(actual[c] ?? Number.NaN, expected, accepted, row, c);
    }
    checkPadding(actual, row, columns, deviation);
    await operands.pace(2 * taps * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

/** Four columns of the state of a value head in one sequence. */
interface Columns {
  readonly sequence: number;
  readonly head: number;
  readonly first: number;
}

const width = 4;
const most = 64;

export async function checkGatedDelta(
  shape: GatedDeltaShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { batch, sequence, keyHeads, valueHeads, keyDim, valueDim } = shape;
  const deviation = createDeviation();
  const columns = 2 * keyHeads * keyDim + valueHeads * valueDim;
  const sequences = sequencesOf(batch, sequence * columns, random);
  const chosen = columnsOf(shape, sequences, random, effort.attentionWork);
  const rates = await operands.floats("rates");
  for (const own of sequences) {
    const runs: Run[] = [{ first: own * sequence, count: sequence }];
    const tables = {
      x: await operands.rows("x", columns, runs),
      update: await operands.rows("update", valueHeads, runs),
      step: await operands.rows("step", valueHeads, runs),
      y: await operands.rows("y", valueHeads * valueDim, runs),
      rates,
    };
    for (const each of chosen.filter((one) => one.sequence === own)) {
      checkColumns(shape, each, tables, operands, deviation);
      await operands.pace(4 * width * sequence * keyDim);
    }
  }
  return {
    unit: "elements",
    checked: chosen.length * width * sequence,
    total: batch * sequence * valueHeads * valueDim,
    deviation,
  };
}

/** All where they are few; else the first, the last and some at random. */
function columnsOf(
  { sequence, valueHeads, keyDim, valueDim }: GatedDeltaShape,
  sequences: readonly number[],
  random: () => number,
  work: number,
): Columns[] {
  const quads = valueDim / width;
  const all = sequences.length * valueHeads * quads;
  const count = Math.min(most, Math.max(4, Math.floor(work / (3 * width * sequence * keyDim))));
  const places =
    all <= count
      ? Array.from({ length: all }, (_, i) => i)
      : [0, all - 1, ...Array.from({ length: count - 2 }, () => Math.floor(random() * all))];
  return [...new Set(places)].map((place) => ({
    sequence: sequences[Math.floor(place / (valueHeads * quads))] ?? 0,
    head: Math.floor(place / quads) % valueHeads,
    first: width * (place % quads),
  }));
}

interface Tables {
  readonly x: PaddedRows;
  readonly update: PaddedRows;
  readonly step: PaddedRows;
  readonly y: PaddedRows;
  readonly rates: Float32Array;
}

/**
 * A token takes a state S to decay · (I - update · k · kᵀ) · S and what it adds. Since k is no longer than 1 and the update
 * no larger, errors of a column, as vectors, do not grow on the way: those of each token add up and decay.
 */
function checkColumns(
  shape: GatedDeltaShape,
  { sequence: own, head, first }: Columns,
  { x, update, step, y, rates }: Tables,
  { dtype }: Operands,
  deviation: Deviation,
): void {
  const { sequence, keyHeads, valueHeads, keyDim, valueDim } = shape;
  const keyHead = Math.floor((head * keyHeads) / valueHeads);
  const u = unitRoundoff.f32;
  // Of a sum over a column, in lengths of it; of a normalized query or key.
  const ofSum = 8 * Math.sqrt(keyDim) * u;
  const ofUnit = (8 + Math.sqrt(keyDim) / 2) * u;
  const state = new Float64Array(keyDim * width);
  const errors = new Float64Array(width);
  let before = lengthsOf(state);
  for (let row = own * sequence; row < (own + 1) * sequence; row++) {
    const values = x.at(row);
    const unitAt = (from: number): Float64Array => {
      const vector = Float64Array.from(values.subarray(from, from + keyDim));
      const length = lengthOf(vector);
      return vector.map((value) => value / length);
    };
    const q = unitAt(keyHead * keyDim);
    const k = unitAt((keyHeads + keyHead) * keyDim);
    const firstValue = 2 * keyHeads * keyDim + head * valueDim + first;
    const v = Float64Array.from(values.subarray(firstValue, firstValue + width));
    const logit = update.at(row)[head] ?? Number.NaN;
    const share = sigmoid(logit);
    const { decay, error } = decayOf(step.at(row)[head] ?? Number.NaN, rates[head] ?? Number.NaN);
    const short = advance(state, { k, v, update: share, decay });
    const after = lengthsOf(state);
    const out = new Float64Array(width);
    recall(state, q, out);
    for (let c = 0; c < width; c++) {
      const decayed = decay * (before[c] ?? 0);
      const [missing, value] = [Math.abs(short[c] ?? 0), Math.abs(v[c] ?? 0)];
      errors[c] =
        decay * (errors[c] ?? 0) +
        (error / decay + 2 * u) * decayed +
        share * ((ofSum + 2 * ofUnit) * decayed + u * (2 * value + 5 * missing)) +
        activationError(logit, { activation: "sigmoid" }) * missing +
        ofUnit * share * missing +
        u * (after[c] ?? 0);
      const expected = (out[c] ?? Number.NaN) / Math.sqrt(keyDim);
      const accepted =
        ((errors[c] ?? 0) + (ofSum + ofUnit) * (after[c] ?? 0)) / Math.sqrt(keyDim) +
        6 * storedError(expected, "f32") +
        storedError(expected, dtype);
      const column = head * valueDim + first + c;
      deviation.add(y.at(row)[column] ?? Number.NaN, expected, accepted, row, column);
    }
    before = after;
  }
}

/** Of each column of a state. */
function lengthsOf(state: Float64Array): Float64Array {
  const squares = new Float64Array(width);
  for (const [i, value] of state.entries()) squares[i % width]! += value * value;
  return squares.map((square) => Math.sqrt(square));
}

/** exp(-exp(rate) · softplus(step)); WGSL grants exp 3 + 2|x| units, and a logarithm near 1 an absolute 2^-21. */
function decayOf(step: number, rate: number): { readonly decay: number; readonly error: number } {
  const unit = 2 ** -23;
  const ofRate = Math.exp(rate);
  const exponent = ofRate * softplus(step);
  const ofSoftplus =
    2 ** -21 +
    (3 + 2 * Math.abs(step)) * Math.exp(-Math.abs(step)) * unit +
    2 * unit * softplus(step);
  const ofExponent = ofRate * ofSoftplus + exponent * (4 + 2 * Math.abs(rate)) * unit;
  const decay = Math.exp(-exponent);
  return { decay, error: decay * (ofExponent + (3 + 2 * exponent) * unit) };
}
