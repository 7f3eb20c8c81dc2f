// Attention where ranks share sequences, in f64 on the host: each kernel by its definition.

import { type AttentionStepShape, stateColumns } from "../../src/kernels/attention_block.ts";
import type { AttentionBlockGradientShape } from "../../src/kernels/attention_block_gradient.ts";
import { type AttentionBlockShape, keyValueColumns } from "../../src/kernels/block_shape.ts";
import type { KernelCall } from "../../src/kernels/catalog.ts";
import { positionInSlices } from "../../src/kernels/slices.ts";
import { scoreOf, scoreSlope, sees } from "../../src/reference/scores.ts";
import { addTo, dot, matrix, rowOf } from "../../src/reference/tensor.ts";
import { type Buffers, buffersOf } from "./named_buffers.ts";

const names = [
  "attention_block",
  "attention_block_gradient",
  "attention_block_statistics",
  "pack_attention_gradient",
  "pack_keys_values",
] as const;

export type BlockCall = Extract<KernelCall, { kernel: (typeof names)[number] }>;

export function isBlockCall(call: KernelCall): call is BlockCall {
  return names.some((name) => name === call.kernel);
}

/** Buffers in the order of the kernel's bindings. */
export function runBlocks(call: BlockCall, given: readonly Float64Array[]): void {
  const buffers = buffersOf(call, given);
  const { at } = buffers;
  switch (call.kernel) {
    case "attention_block":
      return runBlock(call.shape, buffers);
    case "attention_block_gradient":
      return runGradient(call.shape, buffers);
    case "attention_block_statistics": {
      const { rows, heads, valueDim } = call.shape;
      const y = buffers.table("y", rows * heads, valueDim);
      const dy = buffers.table("dy", rows * heads, valueDim);
      for (let row = 0; row < rows * heads; row++) {
        at("statistics").set([at("logarithms")[row]!, dot(rowOf(y, row), rowOf(dy, row))], 2 * row);
      }
      return;
    }
    case "pack_keys_values": {
      const { rows, kvHeads, headDim, columns, firstKey, values } = call.shape;
      const kv = matrix(rows, kvHeads * (headDim + values.dim));
      for (let row = 0; row < rows; row++) {
        const key = row * columns + firstKey;
        rowOf(kv, row).set(at("k").subarray(key, key + kvHeads * headDim));
        for (let head = 0; head < kvHeads; head++) {
          const value = row * values.columns + values.first + head * values.step;
          const own = at("v").subarray(value, value + values.dim);
          rowOf(kv, row).set(own, kvHeads * headDim + head * values.dim);
        }
      }
      buffers.write("kv", kv);
      return;
    }
    case "pack_attention_gradient": {
      const { rows, queryColumns, keyColumns, first, columns } = call.shape;
      const y = matrix(rows, columns);
      for (let row = 0; row < rows; row++) {
        const keys = Float64Array.from({ length: keyColumns }, (_, c) => {
          return at("own")[row * keyColumns + c]! + at("arrived")[row * keyColumns + c]!;
        });
        const whole = [...at("dq").subarray(row * queryColumns, (row + 1) * queryColumns), ...keys];
        rowOf(y, row).set(whole.slice(first, first + columns));
      }
      buffers.write("y", y);
    }
  }
}

interface Pair {
  readonly token: number;
  readonly head: number;
  readonly query: Float64Array;
  readonly key: Float64Array;
  readonly value: Float64Array;
  /** Rows of kv, and columns there of the key and of the value. */
  readonly other: number;
  readonly columns: readonly [key: number, value: number];
  readonly score: number;
  readonly product: number;
}

/** Of each query and head the keys that it sees, if any. */
function* pairsOf(shape: AttentionBlockShape, { at }: Buffers): Generator<Pair[]> {
  const { batch, rows, heads, kvHeads, headDim, valueDim, columns, queries, keys } = shape;
  const pitch = keyValueColumns(shape);
  for (let i = 0; i < batch * rows * heads; i++) {
    const [token, head] = [Math.floor(i / heads), i % heads];
    const kvHead = Math.floor((head * kvHeads) / heads);
    const start = token * columns + head * headDim;
    const query = at("qkv").subarray(start, start + headDim);
    const position = positionInSlices(rows, queries, token % rows);
    const found: Pair[] = [];
    for (let row = 0; row < rows; row++) {
      const place = positionInSlices(rows, keys, row);
      if (!sees(shape, position, place)) continue;
      const other = token - (token % rows) + row;
      const own = [kvHead * headDim, kvHeads * headDim + kvHead * valueDim] as const;
      const part = (column: number, width: number) =>
        at("kv").subarray(other * pitch + column, other * pitch + column + width);
      const [key, value] = [part(own[0], headDim), part(own[1], valueDim)];
      const product = dot(query, key);
      const score = scoreOf(shape, head, position, place, product);
      found.push({ token, head, query, key, value, other, columns: own, score, product });
    }
    yield found;
  }
}

function runBlock(shape: AttentionStepShape, buffers: Buffers): void {
  const { heads, valueDim, at: step } = shape;
  const { at } = buffers;
  const width = stateColumns(shape) / heads;
  let row = 0;
  for (const pairs of pairsOf(shape, buffers)) {
    const state = at("state").subarray(row * width, (row + 1) * width);
    const sums = step === "first" ? new Float64Array(valueDim) : state.slice(0, valueDim);
    const sink = shape.sinks === true ? at("sinks")[row % heads]! : -Infinity;
    const [before, total] =
      step === "first"
        ? [sink, shape.sinks === true ? 1 : 0]
        : [state[valueDim]! * Math.LN2, state[valueDim + 1]!];
    const largest = pairs.reduce((most, { score }) => Math.max(most, score), before);
    const scale = total === 0 ? 0 : Math.exp(before - largest);
    let all = total * scale;
    for (let d = 0; d < valueDim; d++) sums[d]! *= scale;
    for (const { score, value } of pairs) {
      const weight = Math.exp(score - largest);
      all += weight;
      addTo(
        sums,
        value.map((number) => weight * number),
      );
    }
    if (step === "last") {
      at("y").set(
        sums.map((sum) => sum / all),
        row * valueDim,
      );
      at("logarithms")[row] = (largest + Math.log(all)) / Math.LN2;
    } else {
      // What saw nothing is as low as kernels have it.
      state.set([...sums, Math.max(-3.4e38, largest / Math.LN2), all, 0, 0]);
    }
    row += 1;
  }
}

function runGradient(shape: AttentionBlockGradientShape, buffers: Buffers): void {
  const { heads, headDim, valueDim } = shape;
  const { at } = buffers;
  if (shape.addsQueries !== true) at("dq").fill(0);
  if (shape.addsKeys !== true) at("dkv").fill(0);
  const pitch = keyValueColumns(shape);
  for (const pairs of pairsOf(shape, buffers)) {
    for (const { token, head, query, key, value, other, columns, score, product } of pairs) {
      const row = token * heads + head;
      const [logarithm, less] = at("statistics").subarray(2 * row, 2 * row + 2);
      const dy = at("dy").subarray(row * valueDim, (row + 1) * valueDim);
      const share = Math.exp(score - logarithm! * Math.LN2);
      const slope = share * (dot(dy, value) - less!) * scoreSlope(shape, product);
      const add = (name: string, start: number, by: number, of: Float64Array): void =>
        addTo(
          at(name).subarray(start, start + of.length),
          of.map((number) => by * number),
        );
      add("dq", row * headDim, slope, key);
      add("dkv", other * pitch + columns[0], slope, query);
      add("dkv", other * pitch + columns[1], share, dy);
    }
  }
}
