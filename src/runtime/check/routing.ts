// What a mixture of experts does besides products: which experts a token takes, where its rows go, and what comes back.

import type { KernelInstruction } from "../../program/program.ts";
import { createDeviation, type Deviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { checkPadding, exponentialError } from "./rows.ts";
import { countRows, rowsOf, runsOf, sampleRows } from "./sample.ts";
import type { Operands, Sampling } from "./view.ts";

type Call<Name extends KernelInstruction["kernel"]> = Extract<
  KernelInstruction,
  { readonly kernel: Name }
>;

/** Choices from what the router's logits are in this run: no near tie is left to rounding. */
export async function checkTopK(
  { shape: { tokens, experts, topK, renormalise } }: Call<"route_top_k">,
  operands: Operands,
  { random, effort }: Sampling,
): Promise<Coverage> {
  const runs = sampleRows(tokens, experts, random, effort.rowElements);
  const deviation = createDeviation();
  const logits = await operands.rows("logits", experts, runs);
  const ids = await operands.words("ids");
  const weights = await operands.floats("weights");
  for (const row of rowsOf(runs)) {
    const own = logits.at(row).subarray(0, experts);
    const order = [...own.keys()].toSorted((a, b) => (own[b] ?? 0) - (own[a] ?? 0) || a - b);
    const chosen = order.slice(0, topK);
    const largest = own[chosen[0] ?? 0] ?? Number.NaN;
    const pool = renormalise ? chosen.map((e) => own[e] ?? Number.NaN) : [...own];
    const total = pool.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
    for (const [slot, expert] of chosen.entries()) {
      const at = row * topK + slot;
      deviation.same(ids[at] ?? Number.NaN, expert, row, slot);
      const distance = (own[expert] ?? Number.NaN) - largest;
      const expected = Math.exp(distance) / total;
      const spread = largest - (own[order.at(-1) ?? 0] ?? 0);
      const accepted = storedError(expected, "f32") + 2 * exponentialError(spread) * expected;
      deviation.add(weights[at] ?? Number.NaN, expected, accepted, row, slot);
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
  { shape: { tokens, topK, hidden } }: Call<"permute_tokens">,
  operands: Operands,
  { random, effort }: Sampling,
): Promise<Coverage> {
  const runs = sampleRows(tokens, (1 + topK) * hidden, random, effort.rowElements);
  const deviation = createDeviation();
  const placeOf = await places(operands);
  const x = await operands.rows("x", hidden, runs);
  const choices = choicesOf(rowsOf(runs), topK);
  const y = await operands.rows("y", hidden, runsOf(choices.map(placeOf)));
  for (const choice of choices) {
    const row = placeOf(choice);
    const [own, from] = [y.at(row), x.at(Math.floor(choice / topK))];
    for (let c = 0; c < hidden; c++) {
      deviation.same(own[c] ?? Number.NaN, from[c] ?? Number.NaN, row, c);
    }
    checkPadding(own, row, hidden, deviation);
    await operands.pace(hidden);
  }
  return { unit: "rows", checked: countRows(runs), total: tokens, deviation };
}

export async function checkCombine(
  { shape: { tokens, topK, hidden } }: Call<"combine_tokens">,
  operands: Operands,
  { random, effort }: Sampling,
): Promise<Coverage> {
  const runs = sampleRows(tokens, (1 + topK) * hidden, random, effort.rowElements);
  const deviation = createDeviation();
  const placeOf = await places(operands);
  const weights = await operands.floats("weights");
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
      own.map((choice) => ({ weight: weights[choice] ?? Number.NaN, x: x.at(placeOf(choice)) })),
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
async function places(operands: Operands): Promise<(choice: number) => number> {
  const [ids, positions, offsets] = [
    await operands.words("ids"),
    await operands.words("positions"),
    await operands.words("offsets"),
  ];
  return (choice) => (offsets[ids[choice] ?? 0] ?? 0) + (positions[choice] ?? 0);
}

function choicesOf(rows: Iterable<number>, topK: number): number[] {
  return [...rows].flatMap((row) => Array.from({ length: topK }, (_, slot) => row * topK + slot));
}
