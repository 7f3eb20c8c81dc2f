// Queries, keys and values of all heads, and how positions turn them.

import type { AttentionLayer } from "../../plan/layers/attention.ts";
import { rotationsOf } from "../../plan/layers/rotary.ts";
import { temperatureAt, turnHead, turnsAt } from "../rotary.ts";
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

/** Multiplies the queries of every row, or their gradients, by the temperature of their position, in place. */
export function temperQueries(q: Matrix, { temperature }: AttentionLayer, sequence: number): void {
  if (temperature === undefined) return;
  for (let row = 0; row < q.rows; row++) {
    const by = temperatureAt(temperature, row % sequence);
    const own = rowOf(q, row);
    for (let i = 0; i < own.length; i++) own[i]! *= by;
  }
}

/** Queries, as keys are, and values. */
export interface HeadSignals {
  readonly q: Signal;
  readonly v: Signal;
}

/** Turning keeps mean squares; some scalings make all larger, a temperature late queries. */
export function turnedSignal(
  x: Signal,
  { rotary, temperature }: AttentionLayer,
  sequence: number,
): Signal {
  const magnitude = rotary === undefined ? 1 : rotationsOf(rotary, sequence).magnitude;
  let squares = 0;
  for (let position = 0; position < sequence; position++) {
    squares += temperature === undefined ? 1 : temperatureAt(temperature, position) ** 2;
  }
  return amplified(x, (magnitude ** 2 * squares) / sequence);
}
