// A mixture of experts by its definition: every token through the experts chosen for it.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import { gelu, silu } from "../activations.ts";
import { matrix, multiply, rowOf, type Matrix } from "../tensor.ts";
import type { RoutingAgreement } from "./context.ts";

export interface ExpertWeights {
  readonly router: Matrix;
  readonly up: (expert: number) => Matrix;
  /** Used where the activation is gated. */
  readonly gate: (expert: number) => Matrix;
  readonly down: (expert: number) => Matrix;
}

export interface MoeResult extends Omit<RoutingAgreement, "choices"> {
  readonly output: Matrix;
}

/**
 * @param rowsPerGroup rows that share one capacity, in order; they sum to the rows
 * @param routes expert ids [rows, topK] chosen by the run under test. A near tie may legitimately fall
 *   either way, so the reference follows them and reports how far they are from its own choice; absent,
 *   it follows its own.
 */
export function mixtureOfExperts(
  layer: MoeLayer,
  x: Matrix,
  weights: ExpertWeights,
  rowsPerGroup: readonly number[],
  routes?: Uint32Array,
): MoeResult {
  const { topK } = layer;
  const logits = multiply(x, weights.router);
  const choices = new Uint32Array(x.rows * topK);
  let routingGap = 0;
  let reroutedChoices = 0;
  for (let row = 0; row < x.rows; row++) {
    const own = topChoices(rowOf(logits, row), topK);
    const given = routes?.subarray(row * topK, (row + 1) * topK) ?? own;
    const verdict = judge(rowOf(logits, row), own, given);
    routingGap = Math.max(routingGap, verdict.gap);
    reroutedChoices += verdict.rerouted;
    choices.set(given, row * topK);
  }
  const rowsOf = assign(layer, choices, rowsPerGroup);
  const output = matrix(x.rows, x.columns);
  for (const [expert, rows] of rowsOf.entries()) {
    if (rows.length === 0) continue;
    const y = feedForward(layer, gatherRows(x, rows), weights, expert);
    for (const [i, row] of rows.entries()) {
      const weight = choiceWeight(layer, rowOf(logits, row), choices, row, expert);
      const target = rowOf(output, row);
      rowOf(y, i).forEach((value, column) => {
        target[column]! += weight * value;
      });
    }
  }
  return { output, routingGap, reroutedChoices };
}

/** The topK largest, ties to the lower id. */
function topChoices(logits: Float64Array, topK: number): Uint32Array {
  return Uint32Array.from(
    [...logits.keys()].toSorted((a, b) => logits[b]! - logits[a]! || a - b).slice(0, topK),
  );
}

function judge(
  logits: Float64Array,
  own: Uint32Array,
  given: Uint32Array,
): { gap: number; rerouted: number } {
  const distinct = new Set(given);
  if (distinct.size !== given.length || given.some((expert) => expert >= logits.length)) {
    return { gap: Infinity, rerouted: given.length };
  }
  const missed = [...own].filter((expert) => !distinct.has(expert));
  const best = Math.max(-Infinity, ...missed.map((expert) => logits[expert]!));
  const worst = Math.min(...[...given].map((expert) => logits[expert]!));
  return { gap: Math.max(0, best - worst), rerouted: missed.length };
}

/** Rows of each expert in token order, in each group of rows cut off at its capacity. */
function assign(
  { experts, topK, capacityFactor }: MoeLayer,
  choices: Uint32Array,
  rowsPerGroup: readonly number[],
): number[][] {
  const rowsOf = Array.from({ length: experts }, (): number[] => []);
  let first = 0;
  for (const count of rowsPerGroup) {
    const capacity =
      capacityFactor === undefined
        ? Infinity
        : Math.ceil(((count * topK) / experts) * capacityFactor);
    const limits = rowsOf.map(({ length }) => length + capacity);
    for (let choice = first * topK; choice < (first + count) * topK; choice++) {
      const expert = choices[choice] ?? 0;
      const rows = rowsOf[expert];
      if (rows !== undefined && rows.length < (limits[expert] ?? 0)) {
        rows.push(Math.floor(choice / topK));
      }
    }
    first += count;
  }
  return rowsOf;
}

function gatherRows(x: Matrix, rows: readonly number[]): Matrix {
  const out = matrix(rows.length, x.columns);
  for (const [i, row] of rows.entries()) rowOf(out, i).set(rowOf(x, row));
  return out;
}

function feedForward(layer: MoeLayer, x: Matrix, weights: ExpertWeights, expert: number): Matrix {
  const up = multiply(x, weights.up(expert));
  if (layer.activation === "gelu") {
    return multiply(matrix(up.rows, up.columns, up.data.map(gelu)), weights.down(expert));
  }
  const gate = multiply(x, weights.gate(expert));
  const inner = up.data.map((value, i) => value * silu(gate.data[i]!));
  return multiply(matrix(up.rows, up.columns, inner), weights.down(expert));
}

/** Softmax probability of the choice, over all experts or, renormalised, over the chosen ones. */
function choiceWeight(
  layer: MoeLayer,
  logits: Float64Array,
  choices: Uint32Array,
  row: number,
  expert: number,
): number {
  const chosen = choices.subarray(row * layer.topK, (row + 1) * layer.topK);
  const pool = layer.renormalise ? [...chosen].map((e) => logits[e]!) : [...logits];
  const largest = Math.max(...pool);
  const total = pool.reduce((sum, logit) => sum + Math.exp(logit - largest), 0);
  return Math.exp(logits[expert]! - largest) / total;
}
