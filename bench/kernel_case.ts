// A kernel at a shape, with its operands and a check of its results against f64.

import { type KernelCall, kernelOf } from "../src/kernels/catalog.ts";
import { fromHalf } from "../src/kernels/half.ts";
import { type BindingElement, bindingsOf } from "../src/kernels/kernel.ts";
import type { StorageType } from "../src/kernels/storage.ts";
import { runKernel } from "../test/support/interpret.ts";
import { prefixSums } from "../test/support/prefix_sums.ts";
import {
  decode,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  type Tensor,
  tensorBytes,
} from "../test/support/tensors.ts";
import { type Expected, outOfTolerance } from "../test/support/tolerance.ts";
import { attentionRow, productRow, rowsOf, sampledRows } from "./expected_rows.ts";

export interface KernelCase {
  readonly name: string;
  readonly call: KernelCall;
  /** Default: f32. */
  readonly dtype?: StorageType;
  /** Bytes of the bindings that are read, by name. */
  readonly inputs: Readonly<Record<string, Uint8Array>>;
  /** Sizes in bytes of those that are written. */
  readonly outputs: Readonly<Record<string, number>>;
  /** What is wrong with the first element that is too far off; undefined where all is right. */
  readonly findWrong: (outputs: Readonly<Record<string, ArrayBuffer>>) => string | undefined;
}

/** Multiply-adds that a check may take; more rows are sampled. */
const affordable = 1e8;

type Outputs = Readonly<Record<string, ArrayBuffer>>;

function bytesOf(outputs: Outputs, name: string): ArrayBuffer {
  return outputs[name] ?? new ArrayBuffer(0);
}

/** Checks rows of a result [rows, columns]. */
function checkRows(
  rows: number,
  columns: number,
  rowCost: number,
  expected: (row: number) => Expected,
  dtype: StorageType,
) {
  return (outputs: Outputs): string | undefined => {
    const { values } = decode(bytesOf(outputs, "y"), rows, columns, dtype);
    for (const row of sampledRows(rows, affordable / rowCost)) {
      const actual = values.subarray(row * columns, (row + 1) * columns);
      const [wrong] = outOfTolerance(actual, expected(row), dtype);
      if (wrong !== undefined) return `row ${row}, column ${wrong}`;
    }
    return undefined;
  };
}

function rowOf({ columns, values }: Tensor, row: number): Float64Array {
  return values.subarray(row * columns, (row + 1) * columns);
}

function suffixOf(dtype: StorageType): string {
  return dtype === "f32" ? "" : ` ${dtype}`;
}

export function matmulCase(
  m: number,
  k: number,
  n: number,
  dtype: StorageType = "f32",
): KernelCase {
  const random = randomSource(m + n + k);
  const x = randomTensor(m, k, dtype, random);
  const w = randomTensor(k, n, dtype, random);
  return {
    name: `matmul ${m}×${k}×${n}${suffixOf(dtype)}`,
    dtype,
    call: { kernel: "matmul", shape: { m, n, k, activation: "none" } },
    inputs: { x: encode(x, dtype), w: encode(w, dtype) },
    outputs: { y: tensorBytes(m, n, dtype) },
    findWrong: checkRows(
      m,
      n,
      k * n,
      (row) => productRow(rowOf(x, row), rowsOf(w.values, n), n),
      dtype,
    ),
  };
}

/** relu(x · w), as many rows for each expert. */
export function expertsCase(
  experts: number,
  each: number,
  k: number,
  n: number,
  dtype: StorageType = "f32",
): KernelCase {
  const random = randomSource(experts + n + k);
  const rows = experts * each;
  const x = randomTensor(rows, k, dtype, random);
  const w = randomTensor(experts * k, n, dtype, random);
  const offsets = prefixSums(Array.from({ length: experts }, () => each));
  return {
    name: `experts ${experts}×(${each}×${k}×${n})${suffixOf(dtype)}`,
    dtype,
    call: {
      kernel: "grouped_matmul",
      shape: { experts, rows, expectedRows: rows, n, k, activation: "relu" },
    },
    inputs: { x: encode(x, dtype), w: encode(w, dtype), offsets: encodeIds(offsets) },
    outputs: { y: tensorBytes(rows, n, dtype) },
    findWrong: checkRows(
      rows,
      n,
      k * n,
      (row) => {
        const weights = rowsOf(w.values, n, Math.floor(row / each) * k * n);
        const sums = productRow(rowOf(x, row), weights, n);
        return { ...sums, values: sums.values.map((value) => Math.max(0, value)) };
      },
      dtype,
    ),
  };
}

export function attentionCase(
  batch: number,
  sequence: number,
  heads: number,
  kvHeads: number,
  headDim: number,
  causal: boolean,
  dtype: StorageType = "f32",
): KernelCase {
  const columns = (heads + 2 * kvHeads) * headDim;
  const rows = batch * sequence;
  const qkv = randomTensor(rows, columns, dtype, randomSource(sequence));
  return {
    name:
      `attention ${batch > 1 ? `${batch}×` : ""}${heads}${kvHeads === heads ? "" : `/${kvHeads}`}` +
      `×${sequence}×${headDim}${causal ? " causal" : ""}${suffixOf(dtype)}`,
    dtype,
    call: { kernel: "attention", shape: { batch, sequence, heads, kvHeads, headDim, causal } },
    inputs: { qkv: encode(qkv, dtype) },
    outputs: { y: tensorBytes(rows, heads * headDim, dtype) },
    findWrong: checkRows(
      rows,
      heads * headDim,
      2 * sequence * heads * headDim,
      (row) => {
        const first = (row - (row % sequence)) * columns;
        return attentionRow(
          rowOf(qkv, row),
          rowsOf(qkv.values, columns, first + heads * headDim),
          rowsOf(qkv.values, columns, first + (heads + kvHeads) * headDim),
          causal ? (row % sequence) + 1 : sequence,
          { heads, kvHeads, headDim },
        );
      },
      dtype,
    ),
  };
}

/** A part of the largest value, as a run accepts it. */
const accepted = { f32: 1e-5, f16: 2e-3 } as const;

/** A kernel whose work is small enough to be done over in f64, whole. Tables of ids are lists of numbers. */
export function wholeCase(
  name: string,
  call: KernelCall,
  operands: Readonly<Record<string, Tensor | readonly number[]>>,
  outputs: Readonly<Record<string, number>>,
  dtype: StorageType = "f32",
): KernelCase {
  const bindings = bindingsOf(kernelOf(call), call.shape);
  const elementOf = (key: string) => bindings.find((one) => one.name === key)?.element;
  const inputs = Object.fromEntries(
    Object.entries(operands).map(([key, operand]) => [
      key,
      "columns" in operand
        ? encode(operand, elementOf(key) === "f32" ? "f32" : dtype)
        : encodeIds(operand),
    ]),
  );
  return {
    name: name + suffixOf(dtype),
    dtype,
    call,
    inputs,
    outputs,
    findWrong(found) {
      const right = bindings.map(({ name: binding, element }) => {
        const bytes = inputs[binding] ?? new Uint8Array(outputs[binding] ?? 0);
        return numbersOf(bytes.buffer as ArrayBuffer, element, dtype);
      });
      runKernel(call, right);
      for (const [index, { name: binding, element, access }] of bindings.entries()) {
        const expected = right[index];
        if (access === "read" || expected === undefined) continue;
        const wrong = firstWrong(
          numbersOf(bytesOf(found, binding), element, dtype),
          expected,
          element === "u32" ? 0 : accepted[element === "f32" ? "f32" : dtype],
        );
        if (wrong !== undefined) return `${binding}: ${wrong}`;
      }
      return undefined;
    },
  };
}

function numbersOf(bytes: ArrayBuffer, element: BindingElement, dtype: StorageType): Float64Array {
  if (element === "u32") return Float64Array.from(new Uint32Array(bytes));
  if ((element === "storage" ? dtype : element) === "f16") {
    return Float64Array.from(new Uint16Array(bytes), fromHalf);
  }
  return Float64Array.from(new Float32Array(bytes));
}

/**
 * What the first element is that is too far off.
 *
 * @param part of the largest value that each may be off
 */
export function firstWrong(
  actual: Float64Array,
  expected: Float64Array,
  part: number,
): string | undefined {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const allowed = part * largest;
  const index = expected.findIndex(
    // NaN fails every comparison.
    (value, i) => !(Math.abs((actual[i] ?? Number.NaN) - value) <= allowed),
  );
  return index < 0 ? undefined : `${index} is ${actual[index]}, expected ${expected[index]}`;
}
