// The tasks as a run of Shardbench has them: kernel calls and the buffers that they bind.

import { cachePieces, pieceElements } from "../../src/kernels/attend_cache.ts";
import type { KernelCall } from "../../src/kernels/catalog.ts";
import { prefixSums } from "../../test/support/prefix_sums.ts";
import { encode, encodeIds, type Tensor, tensor } from "../../test/support/tensors.ts";
import { type Operand, operand, operandsOf } from "./operands.ts";
import { epsilon, type Task } from "./tasks.ts";

/** Kernel calls in order, with the buffers that they bind by name. */
export interface Recipe {
  readonly inputs: Readonly<Record<string, Uint8Array>>;
  /** Words of buffers without padding that kernels write. */
  readonly tables?: Readonly<Record<string, number>>;
  /** Rows and columns of tensors that kernels write. */
  readonly written: Readonly<Record<string, readonly [rows: number, columns: number]>>;
  /** With the names of their buffers; the last of the last call is the result. */
  readonly calls: readonly (readonly [KernelCall, readonly string[]])[];
}

type TaskOf<Op extends Task["op"]> = Extract<Task, { op: Op }>;
type Operands = Readonly<Record<string, Operand>>;

export function recipeOf(task: Task): Recipe {
  const operands = operandsOf(task);
  const padded = (name: string) => encodeOperand(operands, name);
  switch (task.op) {
    case "matmul": {
      const { m, n, k } = task;
      return {
        inputs: { x: padded("x"), w: padded("w") },
        written: { y: [m, n] },
        calls: [[{ kernel: "matmul", shape: { m, n, k, activation: "none" } }, ["x", "w", "y"]]],
      };
    }
    case "experts":
      return experts(task, operands);
    case "attention":
      return attention(task, operands);
    case "attend_cache":
      return cachedAttention(task, operands);
    case "routing": {
      const { tokens, topK } = task;
      const shape = { tokens, experts: task.experts, topK, renormalise: true };
      return {
        inputs: { x: padded("x") },
        tables: { ids: tokens * topK, weights: tokens * topK },
        written: {},
        calls: [[{ kernel: "route_top_k", shape }, ["x", "ids", "weights"]]],
      };
    }
    case "softmax": {
      const { rows, columns } = task;
      return {
        inputs: { x: padded("x") },
        written: { y: [rows, columns] },
        calls: [[{ kernel: "softmax", shape: { rows, columns } }, ["x", "y"]]],
      };
    }
    case "rms_norm": {
      const { rows, columns } = task;
      return {
        inputs: { x: padded("x"), gain: padded("gain") },
        written: { y: [rows, columns] },
        calls: [[{ kernel: "rms_norm", shape: { rows, columns, epsilon } }, ["x", "gain", "y"]]],
      };
    }
  }
}

function experts(task: TaskOf<"experts">, operands: Operands): Recipe {
  const { experts: count, hidden, ffn } = task;
  const rows = count * task.rows;
  const offsets = prefixSums(Array.from({ length: count }, () => task.rows));
  const shape = { experts: count, rows, expectedRows: rows };
  return {
    inputs: {
      x: encodeOperand(operands, "x"),
      up: encodeOperand(operands, "up"),
      down: encodeOperand(operands, "down"),
      offsets: encodeIds(offsets),
    },
    written: { inner: [rows, ffn], y: [rows, hidden] },
    calls: [
      [
        {
          kernel: "grouped_matmul",
          shape: { ...shape, k: hidden, n: ffn, activation: "relu" },
        },
        ["x", "up", "offsets", "inner"],
      ],
      [
        {
          kernel: "grouped_matmul",
          shape: { ...shape, k: ffn, n: hidden, activation: "none" },
        },
        ["inner", "down", "offsets", "y"],
      ],
    ],
  };
}

function attention(task: TaskOf<"attention">, operands: Operands): Recipe {
  const { sequence, heads, headDim, causal } = task;
  const columns = heads * headDim;
  const packed = new Float64Array(3 * sequence * columns);
  for (const [part, name] of ["q", "k", "v"].entries()) {
    const { values } = operand(operands, name);
    for (let row = 0; row < sequence; row += 1) {
      packed.set(values.subarray(row * columns, (row + 1) * columns), (3 * row + part) * columns);
    }
  }
  return {
    inputs: { qkv: encode(tensor(sequence, 3 * columns, packed), "f32") },
    written: { y: [sequence, columns] },
    calls: [
      [
        {
          kernel: "attention",
          shape: { batch: 1, sequence, heads, kvHeads: heads, headDim, causal },
        },
        ["qkv", "y"],
      ],
    ],
  };
}

/** A cache of one page for each sequence: keys of all heads, then values. */
function cachedAttention(task: TaskOf<"attend_cache">, operands: Operands): Recipe {
  const { batch, kvHeads, group, headDim, keys } = task;
  const heads = kvHeads * group;
  const shape = {
    batch,
    queries: 1,
    pageTokens: keys,
    pages: 1,
    expectedKeys: keys,
    heads,
    kvHeads,
    headDim,
    valueDim: headDim,
    queryColumns: heads * headDim,
    cacheDtype: "f32",
  } as const;
  const columns = 2 * kvHeads * headDim;
  const cache = new Float32Array(batch * keys * columns);
  for (const [part, name] of ["k", "v"].entries()) {
    const { values } = operand(operands, name);
    for (let head = 0; head < batch * kvHeads; head += 1) {
      for (let key = 0; key < keys; key += 1) {
        const from = (head * keys + key) * headDim;
        const row = Math.floor(head / kvHeads) * keys + key;
        const to = row * columns + (part * kvHeads + (head % kvHeads)) * headDim;
        cache.set(values.subarray(from, from + headDim), to);
      }
    }
  }
  return {
    inputs: {
      q: encode(tensor(batch, heads * headDim, operand(operands, "q").values), "f32"),
      // All tokens but the last were cached before; the last is new, and cached already.
      spans: encodeIds(Array.from({ length: batch }, () => [keys - 1, 1]).flat()),
      pages: encodeIds(Array.from({ length: batch }, (_, sequence) => sequence)),
      cache: encode(tensor(batch * keys, columns, cache), "f32"),
    },
    tables: { partials: cachePieces(shape) * pieceElements(shape) },
    written: { y: [batch, heads * headDim] },
    calls: [
      [{ kernel: "attend_cache", shape }, ["q", "spans", "pages", "cache", "partials"]],
      [{ kernel: "combine_attention", shape }, ["partials", "spans", "y"]],
    ],
  };
}

function encodeOperand(operands: Operands, name: string): Uint8Array {
  return encode(rowsOf(operand(operands, name)), "f32");
}

/** All but the last dimension become rows. */
function rowsOf({ shape, values }: Operand): Tensor {
  const columns = shape.at(-1) ?? 1;
  return tensor(values.length / columns, columns, values);
}
