// The gated delta rule by its definition, head by head and token by token, in f64.

import type { GatedDeltaShape } from "../kernels/gated_delta.ts";
import { matrix, type Matrix, rowOf } from "./tensor.ts";

export type DeltaShape = Omit<GatedDeltaShape, "batch">;

/** Rows are whole sequences. */
export interface DeltaInputs {
  /** [rows, keyHeads · keyDim], as k is. */
  readonly q: Matrix;
  readonly k: Matrix;
  /** [rows, valueHeads · valueDim] */
  readonly v: Matrix;
  /** [rows, valueHeads], 0 … 1 */
  readonly update: Matrix;
  /** [rows, valueHeads] */
  readonly step: Matrix;
  /** [valueHeads] */
  readonly rates: ArrayLike<number>;
}

/** Added to the square of a length. */
export const lengthEpsilon = 1e-6;

export function lengthOf(values: Float64Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, lengthEpsilon));
}

export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/** What a head has of one token. */
export interface HeadToken {
  /** Of length 1; divided by √keyDim. */
  readonly q: Float64Array;
  /** Of length 1. */
  readonly k: Float64Array;
  readonly v: Float64Array;
  readonly update: number;
  readonly decay: number;
}

export function headToken(
  { keyHeads, valueHeads, keyDim, valueDim }: DeltaShape,
  { q, k, v, update, step, rates }: DeltaInputs,
  row: number,
  head: number,
): HeadToken {
  const keyHead = Math.floor((head * keyHeads) / valueHeads);
  const unit = (m: Matrix): Float64Array => {
    const own = headOf(m, row, keyHead, keyDim);
    const length = lengthOf(own);
    return own.map((value) => value / length);
  };
  const [at, rate] = [row * valueHeads + head, rates[head] ?? Number.NaN];
  return {
    q: unit(q).map((value) => value / Math.sqrt(keyDim)),
    k: unit(k),
    v: headOf(v, row, head, valueDim),
    update: update.data[at] ?? Number.NaN,
    decay: Math.exp(-Math.exp(rate) * softplus(step.data[at] ?? Number.NaN)),
  };
}

/**
 * Takes a state [keyDim, valueDim] from one token to the next, in place.
 *
 * @returns by how much what it holds for the key falls short of the value
 */
export function advance(
  state: Float64Array,
  { k, v, update, decay }: Omit<HeadToken, "q">,
): Float64Array {
  for (let i = 0; i < state.length; i++) state[i]! *= decay;
  const short = v.slice();
  for (const [i, key] of k.entries()) {
    for (let c = 0; c < v.length; c++) short[c]! -= key * state[i * v.length + c]!;
  }
  for (const [i, key] of k.entries()) {
    for (let c = 0; c < v.length; c++) state[i * v.length + c]! += key * update * short[c]!;
  }
  return short;
}

/** What a state holds for a query. */
export function recall(state: Float64Array, q: Float64Array, out: Float64Array): void {
  for (const [i, query] of q.entries()) {
    for (let c = 0; c < out.length; c++) out[c]! += query * state[i * out.length + c]!;
  }
}

/** [rows, valueHeads · valueDim] */
export function gatedDeltaRule(shape: DeltaShape, inputs: DeltaInputs): Matrix {
  const { sequence, valueHeads, keyDim, valueDim } = shape;
  const { rows } = inputs.q;
  const out = matrix(rows, valueHeads * valueDim);
  for (let head = 0; head < valueHeads; head++) {
    const state = new Float64Array(keyDim * valueDim);
    for (let row = 0; row < rows; row++) {
      if (row % sequence === 0) state.fill(0);
      const token = headToken(shape, inputs, row, head);
      advance(state, token);
      recall(state, token.q, headOf(out, row, head, valueDim));
    }
  }
  return out;
}

/** Of rows that have heads side by side. */
export function headOf(m: Matrix, row: number, head: number, width: number): Float64Array {
  return rowOf(m, row).subarray(head * width, (head + 1) * width);
}
