// Ops that take rows one by one: activations, norms, sums and means.

import type { Activation } from "../kernels/activation.ts";
import type { OpBase } from "./op_base.ts";
import type { Tensor, View } from "./tensor.ts";

/** y = activation(x) · gate. Where no gradient needs x, `fuse` makes it part of the product that gives x. */
export interface ActivationOp extends OpBase {
  readonly op: "activation";
  readonly activation: Activation;
  /** Of `softcap`. */
  readonly cap?: number;
  readonly x: View;
  readonly gate?: View;
  readonly y: View;
  /** Of rows sorted by expert: the first of each, and how many are expected. */
  readonly offsets?: Tensor;
  readonly expectedRows?: number;
}

export interface NormOp extends OpBase {
  readonly op: "norm";
  readonly norm: "rms" | "layer";
  readonly epsilon: number;
  /** Of which an RMS norm may take the first columns. */
  readonly x: View;
  readonly gain: Tensor;
  /** Of a layer norm that has one. */
  readonly bias?: Tensor;
  readonly y: View;
  /** Summands of x, which this op then writes, too. */
  readonly sumOf?: readonly [View, View];
  /** Of the first summand. Absent: 1. */
  readonly scale?: number;
}

/** y = scale · a + b */
export interface AddOp extends OpBase {
  readonly op: "add";
  /** Absent: 1. */
  readonly scale?: number;
  readonly a: View;
  readonly b: View;
  readonly y: View;
}

/** Then no kernel has to read the same twice, which it could not beside what it writes in one buffer. */
export function addsToItself({ a, b }: AddOp): boolean {
  return a.tensor === b.tensor && a.window?.first === b.window?.first;
}

export interface AggregateOp extends OpBase {
  readonly op: "aggregate";
  readonly x: Tensor;
  readonly y: Tensor;
  /** Rows that become one. */
  readonly group: number;
  readonly scale: number;
}
