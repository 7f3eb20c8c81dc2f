// A mixture of experts by its definition: every token through the experts chosen for it.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import { type Affine, matrix, rowOf, transform, type Matrix } from "../tensor.ts";
import { choiceWeights, judgeChoice, keysOf, topExperts } from "../routing.ts";
import type { RoutingAgreement } from "./context.ts";
import { feedForward } from "./feed_forward.ts";

export interface ExpertWeights {
  readonly router: Affine;
  /** [experts], added to what experts are compared by. */
  readonly correction?: Float64Array;
  readonly up: (expert: number) => Affine;
  /** Used where the activation is gated. */
  readonly gate: (expert: number) => Affine;
  readonly down: (expert: number) => Affine;
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
  const logits = transform(x, weights.router);
  const choices = new Uint32Array(x.rows * topK);
  let routingGap = 0;
  let reroutedChoices = 0;
  for (let row = 0; row < x.rows; row++) {
    const keys = keysOf(rowOf(logits, row), layer, weights.correction);
    const given = routes?.subarray(row * topK, (row + 1) * topK) ?? topExperts(keys, layer);
    const verdict = judgeChoice(keys, layer, given);
    routingGap = Math.max(routingGap, verdict.gap);
    reroutedChoices += verdict.rerouted;
    choices.set(given, row * topK);
  }
  const rowsOf = assign(layer, choices, rowsPerGroup);
  const output = matrix(x.rows, x.columns);
  for (const [expert, rows] of rowsOf.entries()) {
    if (rows.length === 0) continue;
    const own = gatherRows(x, rows);
    const weighted = rows.map((row) => {
      const chosen = choices.subarray(row * topK, (row + 1) * topK);
      return choiceWeights(rowOf(logits, row), chosen, layer)[chosen.indexOf(expert)]!;
    });
    if (layer.weighsInput === true) scaleRows(own, weighted);
    const y = feedForward(layer, own, (name) => weights[name](expert));
    if (layer.weighsInput !== true) scaleRows(y, weighted);
    for (const [i, row] of rows.entries()) {
      const target = rowOf(output, row);
      rowOf(y, i).forEach((value, column) => {
        target[column]! += value;
      });
    }
  }
  return { output, routingGap, reroutedChoices };
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

/** In place. */
function scaleRows(x: Matrix, factors: readonly number[]): void {
  for (const [row, factor] of factors.entries()) {
    const own = rowOf(x, row);
    own.set(own.map((value) => factor * value));
  }
}
