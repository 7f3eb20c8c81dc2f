// Gradients of the gated delta rule, from the last token of a sequence to its first, in f64.

import { sigmoid } from "../activations.ts";
import {
  advance,
  type DeltaInputs,
  type DeltaShape,
  headOf,
  headToken,
  type HeadToken,
  lengthOf,
  softplus,
} from "../gated_delta.ts";
import { dot, matrix, type Matrix } from "../tensor.ts";

export interface DeltaGradients {
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
  readonly update: Matrix;
  readonly step: Matrix;
  readonly rates: Float64Array;
}

function like({ rows, columns }: Matrix): Matrix {
  return matrix(rows, columns);
}

export function gatedDeltaGradients(
  shape: DeltaShape,
  inputs: DeltaInputs,
  dy: Matrix,
): DeltaGradients {
  const { sequence, valueHeads } = shape;
  const gradients: DeltaGradients = {
    q: like(inputs.q),
    k: like(inputs.k),
    v: like(inputs.v),
    update: like(inputs.update),
    step: like(inputs.step),
    rates: new Float64Array(valueHeads),
  };
  for (let head = 0; head < valueHeads; head++) {
    for (let first = 0; first < dy.rows; first += sequence) {
      addHead(shape, inputs, dy, first, head, gradients);
    }
  }
  return gradients;
}

/** Of one head of one sequence. */
function addHead(
  shape: DeltaShape,
  inputs: DeltaInputs,
  dy: Matrix,
  first: number,
  head: number,
  gradients: DeltaGradients,
): void {
  const { sequence, keyDim, valueDim } = shape;
  const state = new Float64Array(keyDim * valueDim);
  const steps = Array.from({ length: sequence }, (_, i) => {
    const token = headToken(shape, inputs, first + i, head);
    const before = state.slice();
    const short = advance(state, token);
    return { token, before, short, after: state.slice() };
  });
  const dState = new Float64Array(keyDim * valueDim);
  for (const [i, { token, before, short, after }] of [...steps.entries()].toReversed()) {
    const row = first + i;
    const dOut = headOf(dy, row, head, valueDim);
    const dq = times(after, dOut, keyDim);
    addOuter(dState, token.q, dOut);
    const dChange = timesTransposed(dState, token.k);
    const dk = times(
      dState,
      short.map((value) => token.update * value),
      keyDim,
    );
    const dShort = dChange.map((value) => token.update * value);
    const decayed = before.map((value) => token.decay * value);
    const lost = times(decayed, dShort, keyDim);
    for (let d = 0; d < keyDim; d++) dk[d]! -= lost[d]!;
    addOuter(
      dState,
      token.k,
      dShort.map((value) => -value),
    );
    const dDecay = dot(dState, before);
    for (let s = 0; s < dState.length; s++) dState[s]! *= token.decay;
    const parts = { dq, dk, dv: dShort, dUpdate: dot(dChange, short), dDecay };
    addToken(shape, inputs, token, row, head, parts, gradients);
  }
}

interface TokenGradients {
  readonly dq: Float64Array;
  readonly dk: Float64Array;
  readonly dv: Float64Array;
  readonly dUpdate: number;
  readonly dDecay: number;
}

/** From those of what a head has of a token to those of what it is made from. */
function addToken(
  { keyHeads, valueHeads, keyDim, valueDim }: DeltaShape,
  inputs: DeltaInputs,
  { decay }: HeadToken,
  row: number,
  head: number,
  { dq, dk, dv, dUpdate, dDecay }: TokenGradients,
  gradients: DeltaGradients,
): void {
  const keyHead = Math.floor((head * keyHeads) / valueHeads);
  const scaled = dq.map((value) => value / Math.sqrt(keyDim));
  addUnit(
    headOf(gradients.q, row, keyHead, keyDim),
    headOf(inputs.q, row, keyHead, keyDim),
    scaled,
  );
  addUnit(headOf(gradients.k, row, keyHead, keyDim), headOf(inputs.k, row, keyHead, keyDim), dk);
  headOf(gradients.v, row, head, valueDim).set(dv);
  const at = row * valueHeads + head;
  gradients.update.data[at] = dUpdate;
  const [step, rate] = [inputs.step.data[at] ?? Number.NaN, inputs.rates[head] ?? Number.NaN];
  // decay = exp(-exp(rate) · softplus(step))
  const dExponent = -decay * dDecay * Math.exp(rate);
  gradients.step.data[at] = dExponent * sigmoid(step);
  gradients.rates[head]! += dExponent * softplus(step);
}

/** Through x / length of x. */
function addUnit(target: Float64Array, x: Float64Array, dUnit: Float64Array): void {
  const length = lengthOf(x);
  const along = dot(x, dUnit) / length ** 2;
  for (let d = 0; d < x.length; d++) target[d]! += (dUnit[d]! - along * x[d]!) / length;
}

/** m [rows, values.length] · values */
function times(m: Float64Array, values: Float64Array, rows: number): Float64Array {
  const columns = values.length;
  return Float64Array.from({ length: rows }, (_, i) =>
    dot(m.subarray(i * columns, (i + 1) * columns), values),
  );
}

/** mᵀ · values */
function timesTransposed(m: Float64Array, values: Float64Array): Float64Array {
  const out = new Float64Array(m.length / values.length);
  for (const [i, value] of values.entries()) {
    for (let c = 0; c < out.length; c++) out[c]! += value * m[i * out.length + c]!;
  }
  return out;
}

function addOuter(m: Float64Array, left: Float64Array, right: Float64Array): void {
  for (const [i, value] of left.entries()) {
    for (let c = 0; c < right.length; c++) m[i * right.length + c]! += value * right[c]!;
  }
}
