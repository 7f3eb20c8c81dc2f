// The backward pass of attention in f64 on the host.

import { type AttentionShape, valueDimOf } from "../../src/kernels/attention_shape.ts";
import { attendGradients } from "../../src/reference/backward/attention.ts";
import { scoreOf, visibleRange } from "../../src/reference/scores.ts";
import { dot, matrix, type Matrix, rowOf } from "../../src/reference/tensor.ts";
import type { Buffers } from "./named_buffers.ts";

/** Columns `first` to `first + count` of each row, or of groups of rows that are `step` apart. */
function columnsOf(m: Matrix, first: number, count: number): Matrix {
  const part = matrix(m.rows, count);
  for (let row = 0; row < m.rows; row++) {
    rowOf(part, row).set(rowOf(m, row).subarray(first, first + count));
  }
  return part;
}

function setColumns(m: Matrix, first: number, part: Matrix): void {
  for (let row = 0; row < m.rows; row++) rowOf(m, row).set(rowOf(part, row), first);
}

function partsOf(shape: AttentionShape, buffers: Buffers) {
  const { batch, sequence, heads, kvHeads, headDim, values } = shape;
  const rows = batch * sequence;
  const keyColumns = (heads + kvHeads) * headDim;
  const columns = keyColumns + (values === undefined ? kvHeads * headDim : 0);
  const qkv = buffers.table("qkv", rows, columns);
  const valueDim = valueDimOf(shape);
  return {
    rows,
    columns,
    keyColumns,
    valueDim,
    q: columnsOf(qkv, 0, heads * headDim),
    k: columnsOf(qkv, heads * headDim, kvHeads * headDim),
    dy: buffers.table("dy", rows, heads * valueDim),
    v: valuesOf(shape, qkv, buffers),
  };
}

function valuesOf(shape: AttentionShape, qkv: Matrix, buffers: Buffers): Matrix {
  const { heads, kvHeads, headDim, values } = shape;
  if (values === undefined) return columnsOf(qkv, (heads + kvHeads) * headDim, kvHeads * headDim);
  const v = matrix(qkv.rows, kvHeads * values.dim);
  // What only needs queries and keys is not given any.
  if (buffers.at("v").length === 0) return v;
  const held = buffers.table("v", qkv.rows, values.columns);
  for (let head = 0; head < kvHeads; head++) {
    setColumns(
      v,
      head * values.dim,
      columnsOf(held, values.first + head * values.step, values.dim),
    );
  }
  return v;
}

export function runAttentionStatistics(shape: AttentionShape, buffers: Buffers): void {
  const { sequence, heads, kvHeads, headDim } = shape;
  const { q, k, dy, rows, valueDim } = partsOf(shape, buffers);
  const y = buffers.table("y", rows, heads * valueDim);
  const sinks = shape.sinks === true ? buffers.at("sinks") : undefined;
  const of = (m: Matrix, row: number, head: number, width: number): Float64Array =>
    rowOf(m, row).subarray(head * width, (head + 1) * width);
  for (let row = 0; row < rows; row++) {
    const own = row % sequence;
    const [first, end] = visibleRange(shape, sequence, own);
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor((head * kvHeads) / heads);
      let total = sinks === undefined ? 0 : Math.exp(sinks[head] ?? Number.NaN);
      for (let t = first; t < end; t++) {
        const key = of(k, row - own + t, kvHead, headDim);
        total += Math.exp(scoreOf(shape, head, own, t, dot(of(q, row, head, headDim), key)));
      }
      const product = dot(of(y, row, head, valueDim), of(dy, row, head, valueDim));
      buffers.at("statistics").set([Math.log2(total), product], 2 * (row * heads + head));
    }
  }
}

export function runAttentionGradient(shape: AttentionShape, buffers: Buffers): void {
  const { heads, headDim, values } = shape;
  const { q, k, v, dy, rows, columns, keyColumns, valueDim } = partsOf(shape, buffers);
  // Sinks are in the statistics: the sum of a row's exponentials tells what they had of it.
  const sinks = sinksOf(shape, q, k, buffers);
  const { dq, dk, dv } = attendGradients({ ...shape, valueDim }, q, k, v, dy, sinks);
  const dqkv = matrix(rows, columns);
  setColumns(dqkv, 0, dq);
  setColumns(dqkv, heads * headDim, dk);
  if (values === undefined) setColumns(dqkv, keyColumns, dv);
  else buffers.write("dv", dv);
  buffers.write("dqkv", dqkv);
}

/** Of each head, from the first token's statistics. */
function sinksOf(shape: AttentionShape, q: Matrix, k: Matrix, buffers: Buffers): Float64Array {
  const { heads, kvHeads, headDim, sequence } = shape;
  const [first, end] = visibleRange(shape, sequence, 0);
  return Float64Array.from({ length: heads }, (_, head) => {
    const kvHead = Math.floor((head * kvHeads) / heads);
    const whole = 2 ** (buffers.at("statistics")[2 * head] ?? Number.NaN);
    let total = whole;
    for (let t = first; t < end; t++) {
      const product = dot(
        rowOf(q, 0).subarray(head * headDim, (head + 1) * headDim),
        rowOf(k, t).subarray(kvHead * headDim, (kvHead + 1) * headDim),
      );
      total -= Math.exp(scoreOf(shape, head, 0, t, product));
    }
    // Rounding is no sink.
    return total < 1e-6 * whole ? -Infinity : Math.log(total);
  });
}
