// A product of any shape with its operands in bytes, and what f64 arithmetic makes of them.

import type { MatmulShape } from "../../src/kernels/matmul.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { activated, product } from "./matrix_product.ts";
import {
  decode,
  encode,
  randomSource,
  randomTensor,
  type Tensor,
  tensor,
  tensorBytes,
} from "./tensors.ts";
import type { Expected } from "./tolerance.ts";

export interface ProductCase {
  readonly inputs: Readonly<Record<string, Uint8Array>>;
  readonly outputs: { readonly y: number };
  /** Of all parts, one after the other. */
  readonly expected: Expected;
}

export function productCase(shape: MatmulShape, dtype: StorageType): ProductCase {
  const { m, n, k, batch = 1, transposed, bias, gate, rowGate, residual, result } = shape;
  const random = randomSource(m + n + k);
  const x = randomTensor(batch * m, k, dtype, random);
  const w = randomTensor(batch * k, n, dtype, random);
  const tables = {
    ...(bias ? { bias: randomTensor(batch, n, dtype, random) } : {}),
    ...(gate ? { gate: gates(shape, randomTensor(batch * m, n, dtype, random)) } : {}),
    ...(rowGate ? { row_gate: randomTensor(batch * m, 1, dtype, random) } : {}),
    ...(residual ? { residual: randomTensor(batch * m, n, dtype, random) } : {}),
  };
  const y = randomTensor(batch * m, n, "f32", random);
  const parts = Array.from({ length: batch }, (_, part) =>
    product(rowsOf(x, part * m, m), rowsOf(w, part * k, k)),
  );
  return {
    inputs: {
      x: encode(transposed === "x" ? transposedParts(x, batch) : x, dtype),
      w: encode(transposed === "w" ? transposedParts(w, batch) : w, dtype),
      ...Object.fromEntries(
        Object.entries(tables).map(([name, table]) => [
          name,
          encode(name === "row_gate" ? table : widened(table, shape), dtype),
        ]),
      ),
      ...(result === "f32-sum" ? { y: encode(y, "f32") } : {}),
    },
    outputs: { y: tensorBytes(batch * m, shape.pitch ?? n, resultType(shape, dtype)) },
    expected: finished(shape, joined(parts), tables, result === "f32-sum" ? y : undefined),
  };
}

/** As the first columns of wider rows. */
function widened(table: Tensor, { pitch = table.columns }: MatmulShape): Tensor {
  const values = new Float64Array(table.rows * pitch).fill(99);
  for (let row = 0; row < table.rows; row++) {
    values.set(rowsOf(table, row, 1).values, row * pitch);
  }
  return tensor(table.rows, pitch, values);
}

/** y, as the kernel left it; throws where it wrote beside its own columns. */
export function resultOf(bytes: ArrayBuffer, shape: MatmulShape, dtype: StorageType): Float64Array {
  const { m, n, batch = 1, pitch = n } = shape;
  const rows = batch * m;
  const { values } = decode(bytes, rows, pitch, resultType(shape, dtype));
  if (values.some((value, i) => i % pitch >= n && !Number.isNaN(value))) {
    throw new Error(`written beside ${n} of ${pitch} columns`);
  }
  return values.filter((_, i) => i % pitch < n);
}

/** Of y. */
export function resultType({ result }: MatmulShape, dtype: StorageType): StorageType {
  return result === undefined ? dtype : "f32";
}

export function rowsOf({ columns, values }: Tensor, first: number, count: number): Tensor {
  return tensor(count, columns, values.subarray(first * columns, (first + count) * columns));
}

/** Each of so many matrices, one below the other, by itself. */
export function transposedParts({ rows, columns, values }: Tensor, parts: number): Tensor {
  const height = rows / parts;
  return tensor(
    parts * columns,
    height,
    values.map((_, index) => {
      const part = Math.floor(index / (height * columns));
      const [row, column] = [Math.floor(index / height) % columns, index % height];
      return values[(part * height + column) * columns + row] ?? Number.NaN;
    }),
  );
}

function joined(parts: readonly Expected[]): Expected {
  const all = (of: (part: Expected) => Float64Array) =>
    Float64Array.from(parts.flatMap((part) => [...of(part)]));
  return {
    values: all(({ values }) => values),
    magnitudes: all(({ magnitudes }) => magnitudes),
    terms: parts[0]?.terms ?? 0,
  };
}

/** Where gates are clamped, they reach beyond on both sides. */
function gates({ activation }: MatmulShape, { rows, columns, values }: Tensor): Tensor {
  return activation === "clamped-silu"
    ? tensor(
        rows,
        columns,
        values.map((v) => 16 * v),
      )
    : tensor(rows, columns, values);
}

/** activation(scale · product + bias) · gate + residual, and what it may lose by cancellation. */
function finished(
  { m, n, scale = 1, activation }: MatmulShape,
  { values, magnitudes, terms }: Expected,
  {
    bias,
    gate,
    row_gate,
    residual,
  }: Readonly<Partial<Record<"bias" | "gate" | "row_gate" | "residual", Tensor>>>,
  before: Tensor | undefined,
): Expected {
  const biasAt = (i: number): number => bias?.values[Math.floor(i / (m * n)) * n + (i % n)] ?? 0;
  const shareAt = (i: number): number => {
    const logit = row_gate?.values[Math.floor(i / n)];
    return logit === undefined ? 1 : 1 / (1 + Math.exp(-logit));
  };
  const gateAt = (i: number): number => {
    const value = gate?.values[i];
    if (value === undefined || activation !== "clamped-silu") return (value ?? 1) * shareAt(i);
    return 1 + Math.max(-7, Math.min(7, value));
  };
  const residualAt = (i: number): number => (residual?.values[i] ?? 0) + (before?.values[i] ?? 0);
  const biased = {
    values: values.map((value, i) => scale * value + biasAt(i)),
    magnitudes: magnitudes.map((size, i) => Math.abs(scale) * size + Math.abs(biasAt(i))),
    terms: terms + 1,
  };
  const { values: active } = activated(biased, activation);
  return {
    values: active.map((value, i) => value * gateAt(i) + residualAt(i)),
    magnitudes: biased.magnitudes.map(
      (size, i) => size * Math.abs(gateAt(i)) + Math.abs(residualAt(i)),
    ),
    terms: terms + 3,
  };
}
