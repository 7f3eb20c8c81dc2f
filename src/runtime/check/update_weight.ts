// What an optimizer makes of a weight, made again in f64 from what weight, gradient and moments were before.

import { updateState } from "../../kernels/begin_update.ts";
import type { UpdateWeightShape } from "../../kernels/update_weight.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { heldBefore, type Operands } from "./view.ts";

/** Elements of a weight that are looked at. */
const mostElements = 2 ** 18;

interface Table {
  readonly before: Float32Array;
  readonly after: Float32Array;
}

interface Tables {
  /** The weight in f32. */
  readonly weight: Table;
  readonly gradient: Table;
  readonly first: Table | undefined;
  readonly second: Table | undefined;
}

/** What is taken off a weight, over the learning rate. */
interface Change {
  readonly value: number;
  readonly doubt: number;
}

type State = Readonly<Record<(typeof updateState)[number], number>>;

/** Columns of what is found wrong are elements, rows the tables. */
const places = { weight: 0, stored: 1, gradient: 2, first: 3, second: 4 } as const;

export async function checkUpdateWeight(
  shape: UpdateWeightShape,
  operands: Operands,
): Promise<Coverage> {
  const { elements, master } = shape;
  const deviation = createDeviation();
  const words = await operands.floats("state");
  const state = stateOf(words);
  const tables = await tablesOf(shape, operands);
  const stored = master === true ? await operands.tensor("weight") : undefined;
  // Odd, so that it meets all components of quads.
  const stride = Math.floor(elements / mostElements) | 1;
  let checked = 0;
  for (let i = 0; i < elements; i += stride) {
    checked += 1;
    deviation.same(tables.gradient.after[i] ?? Number.NaN, 0, places.gradient, i);
    if (state.isFinite === 0) checkKept(tables, i, deviation);
    else checkMoved(shape, state, tables, i, deviation);
    if (stored === undefined) continue;
    const own = tables.weight.after[i] ?? Number.NaN;
    const accepted = storedError(own, operands.dtype);
    deviation.add(stored[i] ?? Number.NaN, own, accepted, places.stored, i);
    if (checked % 1024 === 0) await operands.pace(16 * 1024);
  }
  return { unit: "elements", checked, total: elements, deviation };
}

function stateOf(words: Float32Array): State {
  const of = (word: (typeof updateState)[number]): number =>
    words[updateState.indexOf(word)] ?? Number.NaN;
  return {
    step: of("step"),
    learningRate: of("learningRate"),
    correction1: of("correction1"),
    correction2: of("correction2"),
    multiplier: of("multiplier"),
    norm: of("norm"),
    isFinite: of("isFinite"),
    unused: of("unused"),
  };
}

async function tablesOf({ master }: UpdateWeightShape, operands: Operands): Promise<Tables> {
  const table = async (name: string): Promise<Table> => ({
    before: heldBefore(operands, name),
    after: await operands.floats(name),
  });
  const tableIfBound = async (name: string): Promise<Table | undefined> =>
    operands.has(name) ? table(name) : undefined;
  return {
    weight: await table(master === true ? "master" : "weight"),
    gradient: await table("gradient"),
    first: await tableIfBound("first"),
    second: await tableIfBound("second"),
  };
}

/** A gradient that is not finite moves nothing. */
function checkKept({ weight, first, second }: Tables, i: number, deviation: Deviation): void {
  for (const [name, table] of Object.entries({ weight, first, second })) {
    if (table === undefined) continue;
    const place = name === "first" ? places.first : name === "second" ? places.second : 0;
    deviation.same(table.after[i] ?? Number.NaN, table.before[i] ?? Number.NaN, place, i);
  }
}

function checkMoved(
  shape: UpdateWeightShape,
  state: State,
  tables: Tables,
  i: number,
  deviation: Deviation,
): void {
  const { learningRate, multiplier } = state;
  const weight = tables.weight.before[i] ?? Number.NaN;
  const gradient = multiplier * (tables.gradient.before[i] ?? Number.NaN);
  const change =
    shape.optimizer === "adamw"
      ? adamwChange(shape, state, tables, gradient, i, deviation)
      : sgdChange(shape, tables, gradient, i, deviation);
  const taken = learningRate * change.value;
  const expected = weight - taken;
  const accepted =
    learningRate * change.doubt + 2 * storedError(taken, "f32") + 2 * storedError(expected, "f32");
  deviation.add(tables.weight.after[i] ?? Number.NaN, expected, accepted, places.weight, i);
}

function adamwChange(
  { beta1, beta2, epsilon, weightDecay }: UpdateWeightShape,
  { correction1, correction2 }: State,
  { weight, first, second }: Tables,
  gradient: number,
  i: number,
  deviation: Deviation,
): Change {
  const [m0, v0] = [first?.before[i] ?? Number.NaN, second?.before[i] ?? Number.NaN];
  const m = beta1 * m0 + (1 - beta1) * gradient;
  const v = beta2 * v0 + (1 - beta2) * gradient ** 2;
  const mLost = 6 * storedError(Math.abs(beta1 * m0) + Math.abs((1 - beta1) * gradient), "f32");
  const vLost = 8 * storedError(v, "f32");
  deviation.add(first?.after[i] ?? Number.NaN, m, mLost, places.first, i);
  deviation.add(second?.after[i] ?? Number.NaN, v, vLost, places.second, i);
  const rootOf = (square: number): number => Math.sqrt(Math.max(0, square) / correction2) + epsilon;
  const moved = m / correction1 / rootOf(v);
  const decayed = weightDecay * (weight.before[i] ?? Number.NaN);
  // Of squares near the smallest numbers nothing may be left under the root, which ε then outweighs.
  const rootLost = 1 / rootOf(v - vLost) - 1 / rootOf(v + vLost);
  const doubt =
    mLost / correction1 / rootOf(v - vLost) +
    (Math.abs(m) / correction1) * rootLost +
    // Two divisions of 2.5 units, the root of such a quotient 4.5, constants and sums.
    32 * unitRoundoff.f32 * Math.abs(moved) +
    4 * storedError(decayed, "f32");
  return { value: moved + decayed, doubt };
}

function sgdChange(
  { momentum, weightDecay }: UpdateWeightShape,
  { weight, first }: Tables,
  gradient: number,
  i: number,
  deviation: Deviation,
): Change {
  const carried = momentum * (first?.before[i] ?? 0);
  const decayed = weightDecay * (weight.before[i] ?? Number.NaN);
  const value = carried + (gradient + decayed);
  // What cancels is lost all the same.
  const doubt = 6 * storedError(Math.abs(carried) + Math.abs(gradient) + Math.abs(decayed), "f32");
  if (first !== undefined) {
    deviation.add(first.after[i] ?? Number.NaN, value, doubt, places.first, i);
  }
  return { value, doubt };
}
