// The norm of all gradients and what follows from it for a step, made again in f64 from what sums and state were before.

import { type BeginUpdateShape, updateState } from "../../kernels/begin_update.ts";
import type { ClearShape } from "../../kernels/clear.ts";
import type { PutColumnsShape } from "../../kernels/put_columns.ts";
import { quadsPerSum, type SumSquaresShape } from "../../kernels/sum_squares.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { clipFactor } from "../../reference/optimizers.ts";
import { smallestError, storedError, sumError } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { addOrOverflow } from "./overflow.ts";
import { heldBefore, type Operands } from "./view.ts";

export async function checkClear({ elements }: ClearShape, operands: Operands): Promise<Coverage> {
  const deviation = createDeviation();
  for (const [i, value] of (await operands.floats("y")).subarray(0, elements).entries()) {
    deviation.same(value, 0, 0, i);
  }
  return { unit: "elements", checked: elements, total: elements, deviation };
}

export async function checkPutColumns(
  { rows, columns, outputColumns, offset }: PutColumnsShape,
  operands: Operands,
): Promise<Coverage> {
  const deviation = createDeviation();
  const [x, y] = [await operands.floats("x"), await operands.floats("y")];
  const before = heldBefore(operands, "y");
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < outputColumns; c++) {
      const at = row * outputColumns + c;
      const isPut = c >= offset && c < offset + columns;
      const expected = isPut ? x[row * columns + c - offset] : before[at];
      deviation.same(y[at] ?? Number.NaN, expected ?? Number.NaN, row, c);
    }
    await operands.pace(outputColumns);
  }
  return { unit: "rows", checked: rows, total: rows, deviation };
}

/** Each sum by itself: an error in one is little beside them all. */
export async function checkSumSquares(
  shape: SumSquaresShape,
  operands: Operands,
): Promise<Coverage> {
  const { elements, counted } = shape;
  const deviation = createDeviation();
  const held = (await operands.floats("x")).subarray(0, elements);
  const isCounted = (i: number): boolean =>
    counted === undefined || i % counted.pitch < counted.columns;
  const x = held.map((value, i) => (isCounted(i) ? value : 0));
  const [before, after] = [heldBefore(operands, "sums"), await operands.floats("sums")];
  const share = 4 * quadsPerSum(shape);
  for (const [i, earlier] of before.entries()) {
    const own = x.subarray(i * share, (i + 1) * share);
    const actual = after[i] ?? Number.NaN;
    if (own.length === 0) {
      deviation.same(actual, earlier, 0, i);
      continue;
    }
    let [squares, fourths] = [0, 0];
    for (const value of own) {
      squares += value * value;
      fourths += value ** 4;
    }
    const expected = earlier + squares;
    const accepted =
      sumError(own.length, fourths, squares) +
      own.length * smallestError.f32 +
      2 * storedError(expected, "f32");
    addOrOverflow(deviation, actual, expected, accepted, 0, i);
    await operands.pace(4 * own.length);
  }
  return { unit: "elements", checked: elements, total: elements, deviation };
}

type Word = (typeof updateState)[number];

interface Bounded {
  readonly value: number;
  readonly accepted: number;
}

/** What a step finds, where all gradients are finite. */
function nextState(
  { learningRate, beta1, beta2, clipNorm = Infinity, warmupSteps, lossScale }: BeginUpdateShape,
  sums: Float32Array,
  before: (word: Word) => number,
): Record<Word, Bounded> {
  const units = (value: number, count: number): Bounded => ({
    value,
    accepted: count * storedError(value, "f32"),
  });
  const exactly = (value: number): Bounded => ({ value, accepted: 0 });
  const total = sums.reduce((sum, value) => sum + value, 0);
  const squares = sums.reduce((sum, value) => sum + value * value, 0);
  const doubt = sumError(sums.length, squares, total) + sums.length * smallestError.f32;
  const normOf = (sum: number): number => Math.sqrt(Math.max(0, sum)) / lossScale;
  const norm = normOf(total);
  const lost = normOf(total + doubt) - normOf(total - doubt) + 8 * storedError(norm, "f32");
  const clip = clipFactor(norm, clipNorm);
  const clipLost =
    clipFactor(Math.max(0, norm - lost), clipNorm) - clipFactor(norm + lost, clipNorm);
  const step = Math.fround(before("step") + 1);
  // WGSL grants a division 2.5 units, and constants are rounded, too.
  return {
    step: exactly(step),
    learningRate: units(learningRate * Math.min(1, step / Math.max(1, warmupSteps)), 8),
    correction1: units(before("correction1") * beta1 + (1 - beta1), 4),
    correction2: units(before("correction2") * beta2 + (1 - beta2), 4),
    multiplier: {
      value: clip / lossScale,
      accepted: clipLost / lossScale + 12 * storedError(clip / lossScale, "f32"),
    },
    norm: { value: norm, accepted: lost },
    isFinite: exactly(1),
    unused: exactly(before("unused")),
  };
}

export async function checkBeginUpdate(
  shape: BeginUpdateShape,
  operands: Operands,
): Promise<Coverage> {
  const deviation = createDeviation();
  const sums = heldBefore(operands, "sums");
  const held = heldBefore(operands, "state");
  const state = await operands.floats("state");
  const before = (word: Word): number => held[updateState.indexOf(word)] ?? Number.NaN;
  const isFinite = Number.isFinite(Math.fround(sums.reduce((sum, value) => sum + value, 0)));
  const next = isFinite ? nextState(shape, sums, before) : undefined;
  for (const [at, word] of updateState.entries()) {
    const actual = state[at] ?? Number.NaN;
    if (next !== undefined) {
      deviation.add(actual, next[word].value, next[word].accepted, 0, at);
    } else if (word === "norm") {
      addOrOverflow(deviation, actual, Infinity, 0, 0, at);
    } else {
      deviation.same(actual, word === "isFinite" ? 0 : before(word), 0, at);
    }
  }
  for (const [at, value] of (await operands.floats("sums")).entries()) {
    deviation.same(value, 0, 1, at);
  }
  return { unit: "elements", checked: state.length, total: state.length, deviation };
}
