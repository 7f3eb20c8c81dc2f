// What a mixture of experts does besides products: which experts a token takes, where its rows go, and what comes back.

import type { KernelInstruction } from "../../program/program.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import {
  choiceWeights,
  comparesScores,
  judgeChoice,
  keysOf,
  topExperts,
} from "../../reference/routing.ts";
import type { Coverage } from "./coverage.ts";
import { checkPadding, exponentialError } from "./rows.ts";
import { countRows, rowsOf, runsOf, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

type Call<Name extends KernelInstruction["kernel"]> = Extract<
  KernelInstruction,
  { readonly kernel: Name }
>;

/**
 * Choices from what the router's logits are in this run. Compared by logits, no near tie is left to rounding; what scores
 * are compared by, rounding may decide.
 */
export async function checkTopK(
  { shape }: Call<"route_top_k">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { tokens, experts, topK } = shape;
  const runs = sampleRows(tokens, experts, random, effort.rowElements);
  const deviation = createDeviation();
  const logits = await operands.rows("logits", experts, runs);
  const ids = await operands.words("ids");
  const weights = await operands.floats("weights");
  const correction =
    shape.corrected === true
      ? Float64Array.from((await operands.tensor("correction")).subarray(0, experts))
      : undefined;
  for (const row of rowsOf(runs)) {
    const own = Float64Array.from(logits.at(row).subarray(0, experts));
    const chosen = ids.subarray(row * topK, (row + 1) * topK);
    if (chosen.every((expert) => expert < experts)) {
      checkChoice(own, correction, chosen, row, shape, deviation);
      const at = weights.subarray(row * topK, (row + 1) * topK);
      checkWeights(own, chosen, at, row, shape, deviation);
    }
    await operands.pace(16 * experts);
  }
  // Of rows that are not made again, what was never written.
  for (let at = 0; at < tokens * topK; at++) {
    const [row, slot] = [Math.floor(at / topK), at % topK];
    if (!((ids[at] ?? Infinity) < experts)) deviation.same(Number.NaN, 0, row, slot);
    if (Number.isNaN(weights[at] ?? Number.NaN)) deviation.same(Number.NaN, 0, row, slot);
  }
  return { unit: "rows", checked: countRows(runs), total: tokens, deviation };
}

/** What scores and their sums with corrections may be off, f32 as they are: they are 1 at most, of softmax and sigmoid. */
const keyError = (spread: number, largest: number): number =>
  2 * exponentialError(spread) + 4 * storedError(largest, "f32");

function checkChoice(
  logits: Float64Array,
  correction: Float64Array | undefined,
  chosen: Uint32Array,
  row: number,
  rule: Call<"route_top_k">["shape"],
  deviation: Deviation,
): void {
  const keys = keysOf(logits, rule, correction);
  if (!comparesScores(rule, correction !== undefined)) {
    for (const [slot, expert] of topExperts(keys, rule).entries()) {
      deviation.same(chosen[slot] ?? Number.NaN, expert, row, slot);
    }
    return;
  }
  const largest = keys.reduce((most, key) => Math.max(most, Math.abs(key)), 0);
  const accepted = keyError(spreadOf(logits), largest);
  deviation.add(judgeChoice(keys, rule, chosen).gap, 0, accepted, row, 0);
  for (let slot = 1; slot < chosen.length; slot++) {
    const [before, after] = [keys[chosen[slot - 1] ?? 0] ?? 0, keys[chosen[slot] ?? 0] ?? 0];
    deviation.add(Math.max(0, after - before), 0, accepted, row, slot);
  }
}

function checkWeights(
  logits: Float64Array,
  chosen: Uint32Array,
  weights: Float32Array,
  row: number,
  rule: Call<"route_top_k">["shape"],
  deviation: Deviation,
): void {
  const relative = 2 * exponentialError(spreadOf(logits));
  for (const [slot, expected] of choiceWeights(logits, chosen, rule).entries()) {
    const accepted = 2 * storedError(expected, "f32") + relative * expected;
    deviation.add(weights[slot] ?? Number.NaN, expected, accepted, row, slot);
  }
}

/** How far logits are from the largest, and from 0. */
function spreadOf(logits: Float64Array): number {
  const largest = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const least = logits.reduce((most, logit) => Math.min(most, logit), Infinity);
  return Math.max(largest - least, Math.abs(largest), Math.abs(least));
}

/** All of them: each place depends on all before it. */
export async function checkPositions(
  { shape: { tokens, experts, topK } }: Call<"route_positions">,
  operands: Operands,
): Promise<Coverage> {
  const deviation = createDeviation();
  const [ids, positions] = [await operands.words("ids"), await operands.words("positions")];
  const [counts, offsets] = [await operands.words("counts"), await operands.words("offsets")];
  const seen = new Uint32Array(experts);
  for (let choice = 0; choice < tokens * topK; choice++) {
    const expert = ids[choice] ?? 0;
    const before = seen[expert] ?? Number.NaN;
    const [row, slot] = [Math.floor(choice / topK), choice % topK];
    deviation.same(positions[choice] ?? Number.NaN, before, row, slot);
    seen[expert] = before + 1;
  }
  await operands.pace(4 * tokens * topK);
  let first = 0;
  for (let expert = 0; expert <= experts; expert++) {
    deviation.same(offsets[expert] ?? Number.NaN, first, expert, 0);
    if (expert === experts) break;
    deviation.same(counts[expert] ?? Number.NaN, seen[expert] ?? 0, expert, 0);
    first += seen[expert] ?? 0;
  }
  return { unit: "rows", checked: tokens, total: tokens, deviation };
}

export async function checkPermute(
  { shape: { tokens, topK, hidden, weighted } }: Call<"permute_tokens">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(tokens, (1 + topK) * hidden, random, effort.rowElements);
  const deviation = createDeviation();
  const placeOf = await places(operands);
  const x = await operands.rows("x", hidden, runs);
  const choices = choicesOf(rowsOf(runs), topK);
  const y = await operands.rows("y", hidden, runsOf(choices.map(placeOf)));
  const weights = weighted === true ? await operands.floats("weights") : undefined;
  for (const choice of choices) {
    const row = placeOf(choice);
    const [own, from] = [y.at(row), x.at(Math.floor(choice / topK))];
    for (let c = 0; c < hidden; c++) {
      const [actual, read] = [own[c] ?? Number.NaN, from[c] ?? Number.NaN];
      if (weights === undefined) {
        deviation.same(actual, read, row, c);
        continue;
      }
      const expected = read * (weights[choice] ?? Number.NaN);
      const accepted = storedError(expected, operands.dtype) + storedError(expected, "f32");
      deviation.add(actual, expected, accepted, row, c);
    }
    checkPadding(own, row, hidden, deviation);
    await operands.pace(hidden);
  }
  return { unit: "rows", checked: countRows(runs), total: tokens, deviation };
}

export async function checkCombine(
  { shape: { tokens, topK, hidden } }: Call<"combine_tokens">,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(tokens, (1 + topK) * hidden, random, effort.rowElements);
  const deviation = createDeviation();
  const placeOf = await places(operands);
  const weights = operands.has("weights") ? await operands.floats("weights") : undefined;
  const [ids, positions, kept] = [
    await operands.words("ids"),
    await operands.words("positions"),
    await operands.words("kept"),
  ];
  const isKept = (choice: number): boolean =>
    (positions[choice] ?? 0) < (kept[ids[choice] ?? 0] ?? 0);
  const used = choicesOf(rowsOf(runs), topK).filter(isKept);
  const x = await operands.rows("x", hidden, runsOf(used.map(placeOf)));
  const y = await operands.rows("y", hidden, runs);
  for (const row of rowsOf(runs)) {
    const own = choicesOf([row], topK).filter(isKept);
    combineRow(
      own.map((choice) => ({
        weight: weights === undefined ? 1 : (weights[choice] ?? Number.NaN),
        x: x.at(placeOf(choice)),
      })),
      y.at(row),
      row,
      hidden,
      operands,
      deviation,
    );
    await operands.pace(4 * topK * hidden);
  }
  return { unit: "rows", checked: countRows(runs), total: tokens, deviation };
}

function combineRow(
  terms: readonly { readonly weight: number; readonly x: Float32Array }[],
  y: Float32Array,
  row: number,
  hidden: number,
  { dtype }: Operands,
  deviation: Deviation,
): void {
  for (let c = 0; c < hidden; c++) {
    let sum = 0;
    let squares = 0;
    for (const { weight, x } of terms) {
      const term = weight * (x[c] ?? Number.NaN);
      sum += term;
      squares += term * term;
    }
    const accepted = storedError(sum, dtype) + sumError(terms.length, squares, sum);
    deviation.add(y[c] ?? Number.NaN, sum, accepted, row, c);
  }
  checkPadding(y, row, hidden, deviation);
}

/** Where the row of a choice lies among rows that are sorted by expert. */
export async function places(operands: Operands): Promise<(choice: number) => number> {
  const [ids, positions, offsets] = [
    await operands.words("ids"),
    await operands.words("positions"),
    await operands.words("offsets"),
  ];
  return (choice) => (offsets[ids[choice] ?? 0] ?? 0) + (positions[choice] ?? 0);
}

export function choicesOf(rows: Iterable<number>, topK: number): number[] {
  return [...rows].flatMap((row) => Array.from({ length: topK }, (_, slot) => row * topK + slot));
}
