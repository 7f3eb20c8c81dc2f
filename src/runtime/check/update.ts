// What an optimizer makes of a gradient, made again in f64 from what weights and moments were before.

import { type BeginUpdateShape, updateState } from "../../kernels/begin_update.ts";
import type { EmbeddingGradientShape } from "../../kernels/embedding_gradient.ts";
import { rowPitch } from "../../kernels/storage.ts";
import type { SumSquaresShape } from "../../kernels/sum_squares.ts";
import type { UpdateWeightShape } from "../../kernels/update_weight.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import type { Operands } from "./view.ts";

/** Elements of a weight that are looked at. */
const mostElements = 2 ** 18;

function heldBefore(operands: Operands, binding: string): Float32Array {
  const held = operands.before(binding);
  if (held === undefined) throw new Error(`what ${binding} held before was not kept`);
  return held;
}

export async function checkSumSquares(
  { elements }: SumSquaresShape,
  operands: Operands,
): Promise<Coverage> {
  const deviation = createDeviation();
  const x = await operands.floats("x");
  const [before, after] = [heldBefore(operands, "sums"), await operands.floats("sums")];
  let [squares, fourths] = [0, 0];
  for (const value of x) {
    squares += value * value;
    fourths += value ** 4;
  }
  await operands.pace(4 * elements);
  const totalOf = (values: Float32Array): number => values.reduce((sum, value) => sum + value, 0);
  const expected = totalOf(before) + squares;
  const accepted =
    sumError(elements, fourths, squares) + 4 * storedError(expected, "f32") * before.length;
  deviation.add(totalOf(after), expected, accepted, 0, 0);
  return { unit: "elements", checked: elements, total: elements, deviation };
}

export async function checkBeginUpdate(
  { learningRate, beta1, beta2, clipNorm, warmupSteps, lossScale }: BeginUpdateShape,
  operands: Operands,
): Promise<Coverage> {
  const deviation = createDeviation();
  const sums = heldBefore(operands, "sums");
  const before = heldBefore(operands, "state");
  const state = await operands.floats("state");
  const total = sums.reduce((sum, value) => sum + value, 0);
  const norm = Math.sqrt(total) / lossScale;
  const isFinite = Number.isFinite(norm);
  const step = (before[0] ?? 0) + 1;
  const clip = clipNorm !== undefined && norm > clipNorm ? clipNorm / (norm + 1e-6) : 1;
  const expected = {
    step,
    learningRate: learningRate * Math.min(1, step / Math.max(1, warmupSteps)),
    correction1: (before[2] ?? 0) * beta1 + (1 - beta1),
    correction2: (before[3] ?? 0) * beta2 + (1 - beta2),
    multiplier: clip / lossScale,
    norm,
    isFinite: isFinite ? 1 : 0,
    unused: 0,
  };
  for (const [at, name] of updateState.entries()) {
    const actual = state[at] ?? Number.NaN;
    if (!isFinite && name !== "isFinite") continue;
    deviation.add(actual, expected[name], 64 * storedError(expected[name], "f32"), 0, at);
  }
  for (const [at, value] of (await operands.floats("sums")).entries()) {
    deviation.same(value, 0, 1, at);
  }
  return { unit: "elements", checked: state.length, total: state.length, deviation };
}

export async function checkUpdateWeight(
  shape: UpdateWeightShape,
  operands: Operands,
): Promise<Coverage> {
  const { elements, optimizer, beta1, beta2, epsilon, weightDecay, momentum, master } = shape;
  const deviation = createDeviation();
  const state = await operands.floats("state");
  const [, rate = 0, q1 = 1, q2 = 1, multiplier = 0, , isFinite = 0] = state;
  const kept = master === true ? "master" : "weight";
  const [w, g] = [heldBefore(operands, kept), heldBefore(operands, "gradient")];
  const [after, cleared] = [await operands.floats(kept), await operands.floats("gradient")];
  const stored = master === true ? await operands.tensor("weight") : after;
  const has = (name: string): boolean => operands.has(name);
  const tableOf = async (name: string) =>
    has(name)
      ? { before: heldBefore(operands, name), after: await operands.floats(name) }
      : undefined;
  const [first, second] = [await tableOf("first"), await tableOf("second")];
  const stride = Math.max(1, Math.floor(elements / mostElements));
  let checked = 0;
  for (let i = 0; i < elements; i += stride) {
    checked += 1;
    const weight = w[i] ?? Number.NaN;
    const gradient = multiplier * (g[i] ?? Number.NaN);
    deviation.same(cleared[i] ?? Number.NaN, 0, 2, i);
    if (isFinite === 0) {
      deviation.same(after[i] ?? Number.NaN, weight, 0, i);
      continue;
    }
    let [change, doubt] = [0, 0];
    if (optimizer === "adamw") {
      const m = beta1 * (first?.before[i] ?? Number.NaN) + (1 - beta1) * gradient;
      const v = beta2 * (second?.before[i] ?? Number.NaN) + (1 - beta2) * gradient ** 2;
      const terms = Math.abs(beta1 * (first?.before[i] ?? 0)) + Math.abs((1 - beta1) * gradient);
      deviation.add(first?.after[i] ?? Number.NaN, m, 6 * storedError(terms, "f32"), 3, i);
      deviation.add(second?.after[i] ?? Number.NaN, v, 8 * storedError(v, "f32"), 4, i);
      const root = Math.sqrt(v / q2) + epsilon;
      change = m / q1 / root + weightDecay * weight;
      // Division and root: 2.5 and about 4 units; the root of what is flushed to zero is lost against ε.
      doubt = (32 * 2 ** -24 * terms) / q1 / root + 4 * storedError(change, "f32");
      if (v / q2 < 1e-30) doubt += Math.abs(m / q1) / epsilon;
    } else {
      const own = gradient + weightDecay * weight;
      const b = momentum * (first?.before[i] ?? 0) + own;
      if (first !== undefined) {
        const size = Math.abs(momentum * (first.before[i] ?? 0)) + Math.abs(own);
        deviation.add(first.after[i] ?? Number.NaN, b, 6 * storedError(size, "f32"), 3, i);
      }
      change = b;
      doubt = 6 * (storedError(gradient, "f32") + storedError(weightDecay * weight, "f32"));
      doubt += 4 * storedError(b, "f32");
    }
    const expected = weight - rate * change;
    const accepted =
      rate * doubt + 2 * storedError(rate * change, "f32") + 2 * storedError(expected, "f32");
    deviation.add(after[i] ?? Number.NaN, expected, accepted, 0, i);
    if (master === true) {
      const own = after[i] ?? Number.NaN;
      deviation.add(stored[i] ?? Number.NaN, own, storedError(own, operands.dtype), 1, i);
    }
  }
  await operands.pace(16 * checked);
  return { unit: "elements", checked, total: elements, deviation };
}

export async function checkEmbeddingGradient(
  { tokens, hidden, vocabularyStart, vocabularyRows, scale = 1 }: EmbeddingGradientShape,
  operands: Operands,
): Promise<Coverage> {
  const deviation = createDeviation();
  const ids = await operands.words("ids");
  const dy = await operands.tensor("dy");
  const [before, after] = [heldBefore(operands, "dtable"), await operands.floats("dtable")];
  const pitch = rowPitch(hidden);
  const tokensOf = new Map<number, number[]>();
  for (let token = 0; token < tokens; token++) {
    const row = (ids[token] ?? 0) - vocabularyStart;
    if (row < 0 || row >= vocabularyRows) continue;
    const own = tokensOf.get(row) ?? [];
    tokensOf.set(row, own);
    own.push(token);
  }
  for (let row = 0; row < vocabularyRows; row++) {
    const own = tokensOf.get(row) ?? [];
    for (let c = 0; c < hidden; c++) {
      const at = row * pitch + c;
      const held = before[at] ?? Number.NaN;
      let [sum, squares] = [0, 0];
      for (const token of own) {
        const value = dy[token * pitch + c] ?? Number.NaN;
        sum += value;
        squares += value * value;
      }
      const expected = held + scale * sum;
      const accepted =
        own.length === 0
          ? 0
          : Math.abs(scale) * sumError(own.length, squares, sum) + 2 * storedError(expected, "f32");
      deviation.add(after[at] ?? Number.NaN, expected, accepted, row, c);
    }
    if (own.length > 0) await operands.pace(2 * hidden * own.length);
  }
  return { unit: "rows", checked: vocabularyRows, total: vocabularyRows, deviation };
}
