// A mixture of experts by its definition: every token through the experts chosen for it.

import type { MoeLayer } from "../../plan/layers/moe.ts";
import { type AffineGradients, affineGradients } from "../backward/product.ts";
import {
  choiceWeightsGradient,
  type RouterPull,
  routerPullGradient,
  routerPullLoss,
} from "../backward/routing.ts";
import { addTo, type Affine, dot, matrix, rowOf, transform, type Matrix } from "../tensor.ts";
import { choiceWeights, judgeChoice, keysOf, topExperts } from "../routing.ts";
import type { RoutingAgreement } from "./context.ts";
import { feedForward, feedForwardGradient, type NetworkPart } from "./feed_forward.ts";

export interface ExpertWeights {
  readonly router: Affine;
  /** [experts], added to what experts are compared by. */
  readonly correction?: Float64Array;
  readonly up: (expert: number) => Affine;
  /** Used where the activation is gated. */
  readonly gate: (expert: number) => Affine;
  readonly down: (expert: number) => Affine;
}

/** Where tokens go. */
export interface Dispatch extends Omit<RoutingAgreement, "choices"> {
  /** [rows, experts] */
  readonly logits: Matrix;
  /** [rows, topK] */
  readonly choices: Uint32Array;
  /** Rows of each expert, in their order. */
  readonly rowsOf: readonly (readonly number[])[];
}

/**
 * @param rowsPerGroup rows that share one capacity, in order; they sum to the rows
 * @param routes expert ids [rows, topK] chosen by the run under test. A near tie may legitimately fall
 *   either way, so the reference follows them and reports how far they are from its own choice; absent,
 *   it follows its own.
 */
export function dispatch(
  layer: MoeLayer,
  x: Matrix,
  { router, correction }: Pick<ExpertWeights, "router" | "correction">,
  rowsPerGroup: readonly number[],
  routes?: Uint32Array,
): Dispatch {
  const { topK } = layer;
  const logits = transform(x, router);
  const choices = new Uint32Array(x.rows * topK);
  let routingGap = 0;
  let reroutedChoices = 0;
  for (let row = 0; row < x.rows; row++) {
    const keys = keysOf(rowOf(logits, row), layer, correction);
    const given = routes?.subarray(row * topK, (row + 1) * topK) ?? topExperts(keys, layer);
    const verdict = judgeChoice(keys, layer, given);
    routingGap = Math.max(routingGap, verdict.gap);
    reroutedChoices += verdict.rerouted;
    choices.set(given, row * topK);
  }
  const rowsOf = assign(layer, choices, rowsPerGroup);
  return { logits, choices, rowsOf, routingGap, reroutedChoices };
}

export function mixtureOfExperts(
  layer: MoeLayer,
  x: Matrix,
  weights: ExpertWeights,
  dispatched: Dispatch,
): Matrix {
  const output = matrix(x.rows, x.columns);
  for (const [expert, rows] of dispatched.rowsOf.entries()) {
    if (rows.length === 0) continue;
    const own = gatherRows(x, rows);
    const weighted = rows.map((row) => weightOf(layer, dispatched, row, expert));
    if (layer.weighsInput === true) scaleRows(own, weighted);
    const y = feedForward(layer, own, (name) => weights[name](expert));
    if (layer.weighsInput !== true) scaleRows(y, weighted);
    addRows(output, rows, y);
  }
  return output;
}

export interface ExpertGradients {
  readonly router: (gradients: AffineGradients) => void;
  readonly network: (expert: number, part: NetworkPart, gradients: AffineGradients) => void;
}

/**
 * @param dy of what the experts give together
 * @param microBatches of which the router's losses are a mean
 * @param add takes the gradients of weights
 * @returns the gradient of x
 */
export function mixtureGradient(
  layer: MoeLayer,
  x: Matrix,
  weights: ExpertWeights,
  dispatched: Dispatch,
  dy: Matrix,
  microBatches: number,
  add: ExpertGradients,
): Matrix {
  const { topK, weighsInput } = layer;
  const { logits, choices, rowsOf } = dispatched;
  const dx = matrix(x.rows, x.columns);
  const dWeights = matrix(x.rows, topK);
  for (const [expert, rows] of rowsOf.entries()) {
    if (rows.length === 0) continue;
    const part = (name: NetworkPart): Affine => weights[name](expert);
    const weighted = rows.map((row) => weightOf(layer, dispatched, row, expert));
    const plain = gatherRows(x, rows);
    const own = gatherRows(x, rows);
    const dOwn = gatherRows(dy, rows);
    const unweighted = gatherRows(dy, rows);
    if (weighsInput === true) scaleRows(own, weighted);
    else scaleRows(dOwn, weighted);
    const dInput = feedForwardGradient(layer, own, part, dOwn, (name, gradient) =>
      add.network(expert, name, gradient),
    );
    // A weight's gradient is that of what it scales, along what it scales.
    const [of, along] =
      weighsInput === true ? [dInput, plain] : [unweighted, feedForward(layer, own, part)];
    for (const [i, row] of rows.entries()) {
      const place = choices.subarray(row * topK, (row + 1) * topK).indexOf(expert);
      rowOf(dWeights, row)[place] = dot(rowOf(of, i), rowOf(along, i));
    }
    if (weighsInput === true) scaleRows(dInput, weighted);
    addRows(dx, rows, dInput);
  }
  const dLogits = matrix(x.rows, layer.experts);
  const pull = pullOf(layer, dispatched, microBatches);
  for (let row = 0; row < x.rows; row++) {
    const chosen = choices.subarray(row * topK, (row + 1) * topK);
    const own = rowOf(logits, row);
    const besides = routerPullGradient(own, pull, layer);
    const ofWeights = choiceWeightsGradient(own, chosen, layer, rowOf(dWeights, row));
    rowOf(dLogits, row).set(ofWeights.map((value, expert) => value + besides[expert]!));
  }
  const gradients = affineGradients(x, weights.router.weight, dLogits);
  add.router(gradients);
  addTo(dx.data, gradients.dx.data);
  return dx;
}

/** The router's own losses of a micro-batch, as a part of the step's. */
export function routerLoss(layer: MoeLayer, dispatched: Dispatch, microBatches: number): number {
  const { logits } = dispatched;
  const pull = pullOf(layer, dispatched, microBatches);
  let sum = 0;
  for (let row = 0; row < logits.rows; row++)
    sum += routerPullLoss(rowOf(logits, row), pull, layer);
  return sum;
}

/** Of each of a micro-batch's tokens. */
function pullOf(
  { experts, auxLossCoeff = 0, zLossCoeff = 0 }: MoeLayer,
  { choices, logits: { rows } }: Dispatch,
  microBatches: number,
): RouterPull {
  const shares = new Float64Array(experts);
  for (const expert of choices) shares[expert]! += 1 / choices.length;
  return {
    balance: { factor: (auxLossCoeff * experts) / (rows * microBatches), choices: shares },
    logarithm: (2 * zLossCoeff) / (rows * microBatches),
  };
}

/** Of a row's choice of that expert. */
function weightOf(
  layer: MoeLayer,
  { logits, choices }: Dispatch,
  row: number,
  expert: number,
): number {
  const chosen = choices.subarray(row * layer.topK, (row + 1) * layer.topK);
  return choiceWeights(rowOf(logits, row), chosen, layer)[chosen.indexOf(expert)]!;
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

/** Row i of x to row rows[i]. */
function addRows(target: Matrix, rows: readonly number[], x: Matrix): void {
  for (const [i, row] of rows.entries()) addTo(rowOf(target, row), rowOf(x, i));
}
