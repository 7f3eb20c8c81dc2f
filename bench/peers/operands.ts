// The same operands for every contender: each process makes its own from the same seed.

import { randomSource } from "../../test/support/tensors.ts";
import type { Task } from "./tasks.ts";

/** Row-major, without padding. */
export interface Operand {
  readonly shape: readonly number[];
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * matmul: x [m, k], w [k, n]; experts: x [experts, rows, hidden], up [experts, hidden, ffn],
 * down [experts, ffn, hidden]; attention: q, k, v [sequence, heads, headDim]; attend_cache: q [batch · kvHeads, group,
 * headDim], k, v [batch · kvHeads, keys, headDim]; routing: x [tokens, experts]; softmax: x [rows, columns]; rms_norm:
 * x [rows, columns], gain [columns].
 */
export function operandsOf(task: Task): Record<string, Operand> {
  const random = randomSource(1);
  // Queries four times as large, so that the softmax is far from even.
  const made = (shape: readonly number[], scale = 1): Operand => {
    const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
    for (let index = 0; index < values.length; index += 1) {
      values[index] = scale * (2 * random() - 1);
    }
    return { shape, values };
  };
  switch (task.op) {
    case "matmul":
      return { x: made([task.m, task.k]), w: made([task.k, task.n]) };
    case "experts": {
      const { experts, rows, hidden, ffn } = task;
      return {
        x: made([experts, rows, hidden]),
        up: made([experts, hidden, ffn]),
        down: made([experts, ffn, hidden]),
      };
    }
    case "attention": {
      const shape = [task.sequence, task.heads, task.headDim];
      return { q: made(shape, 4), k: made(shape), v: made(shape) };
    }
    case "attend_cache": {
      const { group, headDim, keys } = task;
      const heads = task.batch * task.kvHeads;
      const shape = [heads, keys, headDim];
      return { q: made([heads, group, headDim], 4), k: made(shape), v: made(shape) };
    }
    case "routing":
      return { x: made([task.tokens, task.experts], 4) };
    case "softmax":
      return { x: made([task.rows, task.columns], 4) };
    case "rms_norm":
      return { x: made([task.rows, task.columns]), gain: made([task.columns]) };
  }
}

/** The operand of that name; throws where the task has none. */
export function operand(operands: Readonly<Record<string, Operand>>, name: string): Operand {
  const found = operands[name];
  if (found === undefined) throw new Error(`there is no operand ${name}`);
  return found;
}

/** [a, b, c] → [b, a, c]: heads before tokens, or back. */
export function swapped({ shape, values }: Operand): Operand {
  const [a = 0, b = 0, c = 0] = shape;
  const result = new Float32Array(values.length);
  for (let i = 0; i < a; i += 1) {
    for (let j = 0; j < b; j += 1) {
      result.set(values.subarray((i * b + j) * c, (i * b + j + 1) * c), (j * a + i) * c);
    }
  }
  return { shape: [b, a, c], values: result };
}

/** [a, b, c] → [a, c, b] */
export function lastSwapped({ shape, values }: Operand): Operand {
  const [a = 0, b = 0, c = 0] = shape;
  const result = new Float32Array(values.length);
  for (let i = 0; i < a; i += 1) {
    for (let j = 0; j < b; j += 1) {
      for (let l = 0; l < c; l += 1) {
        result[(i * c + l) * b + j] = values[(i * b + j) * c + l] ?? 0;
      }
    }
  }
  return { shape: [a, c, b], values: result };
}

/** [sequence, sequence], to be added to scores: 0 where a query sees the key, else far below every score. */
export function causalMask(sequence: number): Operand {
  const values = new Float32Array(sequence * sequence);
  for (let query = 0; query < sequence; query += 1) {
    values.fill(-1e9, query * sequence + query + 1, (query + 1) * sequence);
  }
  return { shape: [sequence, sequence], values };
}
