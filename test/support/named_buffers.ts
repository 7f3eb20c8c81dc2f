// The buffers of a kernel on the host by the names of its bindings.

import { type KernelCall, kernelOf } from "../../src/kernels/catalog.ts";
import { bindingsOf } from "../../src/kernels/kernel.ts";
import { rowPitch } from "../../src/kernels/storage.ts";
import { matrix, type Matrix, rowOf } from "../../src/reference/tensor.ts";

export interface Buffers {
  /** The first columns of a buffer of so many. */
  table(name: string, rows: number, columns: number, of?: number): Matrix;
  write(name: string, values: Matrix): void;
  /** Written over, or added to. */
  vector(name: string, values: Float64Array, accumulate: boolean): void;
  readonly at: (name: string) => Float64Array;
}

/** @param given in the order of the kernel's bindings */
export function buffersOf(call: KernelCall, given: readonly Float64Array[]): Buffers {
  const bound = new Map(
    bindingsOf(kernelOf(call), call.shape).map(({ name }, index) => [name, given[index]]),
  );
  const at = (name: string): Float64Array => bound.get(name) ?? new Float64Array();
  return {
    at,
    table(name, rows, columns, of = columns) {
      const values = matrix(rows, columns);
      for (let row = 0; row < rows; row++) {
        const first = row * rowPitch(of);
        rowOf(values, row).set(at(name).subarray(first, first + columns));
      }
      return values;
    },
    write(name, values) {
      for (let row = 0; row < values.rows; row++) {
        at(name).set(rowOf(values, row), row * rowPitch(values.columns));
      }
    },
    vector(name, values, accumulate) {
      const target = at(name);
      for (const [i, value] of values.entries()) {
        target[i] = value + (accumulate ? (target[i] ?? Number.NaN) : 0);
      }
    },
  };
}
