// The weights of a plan as its seed makes them, whole: what a checkpoint of the same model would hold.

import type { Program } from "../../src/program/program.ts";
import { partsOf } from "../../src/program/content_values.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import type { TensorToWrite } from "../../src/weights/write_safetensors.ts";

export interface WholeWeight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** By their names in programs, such as `blocks/2.attention/q/weight`. */
export function hashedWeights({ ranks, seed }: Program): Map<string, WholeWeight> {
  const source = hashSource(seed);
  const weights = new Map<string, WholeWeight>();
  for (const { buffers } of ranks) {
    for (const { role, content } of buffers) {
      if (role !== "weight" || content === undefined) continue;
      for (const part of partsOf(content)) {
        const { tensor, shape } = part;
        if (part.kind !== "uniform") continue;
        if (weights.has(tensor)) continue;
        const whole = { ...part, offset: shape.map(() => 0), size: shape };
        const rows = shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
        const values = Float32Array.from(source.values(whole, 0, rows));
        weights.set(tensor, { shape, values });
      }
    }
  }
  return weights;
}

/** [n, k] of [k, n]. */
export function transposed({ shape, values }: WholeWeight): WholeWeight {
  const [rows = 1, columns = 1] = shape;
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = values[row * columns + column]!;
    }
  }
  return { shape: [columns, rows], values: out };
}

/** Some rows; of vectors some elements. */
export function rowsOfWeight(
  { shape, values }: WholeWeight,
  first: number,
  count: number,
): WholeWeight {
  const [, ...rest] = shape;
  const size = rest.reduce((product, extent) => product * extent, 1);
  return { shape: [count, ...rest], values: values.slice(first * size, (first + count) * size) };
}

/** One below the other. */
export function stacked(parts: readonly WholeWeight[]): WholeWeight {
  const [, ...rest] = parts[0]?.shape ?? [];
  const rows = parts.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
  return {
    shape: [rows, ...rest],
    values: Float32Array.from(parts.flatMap(({ values }) => [...values])),
  };
}

export function named(name: string, weight: WholeWeight): TensorToWrite {
  return { name, ...weight };
}
