// Queries, keys and values of all heads, and how positions turn them.

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { rotationsOf } from "../../plan/layers/rotary.ts";
import { turnHead, turnsAt } from "../rotary.ts";
import { amplified, type Signal } from "../signal.ts";
import { rowOf, type Matrix } from "../tensor.ts";

/** Of all heads, as attention takes them. */
export interface Heads {
  readonly q: Matrix;
  readonly k: Matrix;
  readonly v: Matrix;
}

/** Turns the heads of every row in place, each from number `first` on; by -1 back, as gradients are. */
export function turnHeads(
  m: Matrix,
  heads: number,
  headDim: number,
  first: number,
  { rotary }: AttentionLayer,
  sequence: number,
  by: 1 | -1 = 1,
): void {
  if (rotary === undefined) return;
  const rotations = rotationsOf(rotary, sequence);
  const turn = { first, dims: rotary.dims, interleaved: rotary.interleaved };
  for (let row = 0; row < m.rows; row++) {
    const turnOf = turnsAt(rotations, by * (row % sequence));
    for (let head = 0; head < heads; head++) {
      turnHead(rowOf(m, row).subarray(head * headDim, (head + 1) * headDim), turn, turnOf);
    }
  }
}

/** Queries, as keys are, and values. */
export interface HeadSignals {
  readonly q: Signal;
  readonly v: Signal;
}

/** Turning keeps mean squares; some scalings make all larger. */
export function turnedSignal(x: Signal, { rotary }: AttentionLayer, sequence: number): Signal {
  return rotary === undefined ? x : amplified(x, rotationsOf(rotary, sequence).magnitude ** 2);
}
