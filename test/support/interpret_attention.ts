// The kernels of attention in f64, on buffers as they lie in memory.

import {
  type AttentionShape,
  attentionBindings,
  valueDimOf,
} from "../../src/kernels/attention_shape.ts";
import { valuesOf } from "../../src/kernels/attention_values.ts";
import type { HeadMatmulShape } from "../../src/kernels/head_matmul.ts";
import { bindingsOf } from "../../src/kernels/kernel.ts";
import { meanSquares, type MeanSquaresShape } from "../../src/kernels/mean_squares.ts";
import { positionOf } from "../../src/kernels/positions.ts";
import { rowPitch } from "../../src/kernels/storage.ts";
import { rotary, type RotaryShape } from "../../src/kernels/rotary.ts";
import { attend } from "../../src/reference/attend.ts";
import { turnGradient } from "../../src/reference/backward/rotary.ts";
import { normalizeHeads } from "../../src/reference/head_norm.ts";
import { temperatureAt, turnHead, turnsInTable } from "../../src/reference/rotary.ts";
import { scoreOf, visibleRange } from "../../src/reference/scores.ts";
import { type Matrix, matrix, rowOf } from "../../src/reference/tensor.ts";

function named(
  bindings: readonly { readonly name: string }[],
  buffers: readonly Float64Array[],
): (name: string) => Float64Array | undefined {
  const places = new Map(bindings.map(({ name }, at) => [name, buffers[at]]));
  return (name) => places.get(name);
}

function needed(buffer: Float64Array | undefined): Float64Array {
  if (buffer === undefined) throw new Error("a buffer is missing");
  return buffer;
}

/** Of heads `step` columns apart, `width` columns each. */
function headsOf(
  data: Float64Array,
  rows: number,
  pitch: number,
  heads: {
    readonly count: number;
    readonly width: number;
    readonly first: number;
    readonly step: number;
  },
): Matrix {
  const { count, width, first, step } = heads;
  const out = matrix(rows, count * width);
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < count; head++) {
      const at = row * pitch + first + head * step;
      rowOf(out, row).set(data.subarray(at, at + width), head * width);
    }
  }
  return out;
}

export function runAttention(shape: AttentionShape, buffers: readonly Float64Array[]): void {
  const { batch, sequence, heads, kvHeads, headDim, values } = shape;
  const valueDim = valueDimOf(shape);
  const at = named(attentionBindings(shape), buffers);
  const qkv = needed(at("qkv"));
  const rows = batch * sequence;
  const keys = (heads + kvHeads) * headDim;
  const pitch = values === undefined ? keys + kvHeads * headDim : keys;
  const of = (count: number, first: number) =>
    headsOf(qkv, rows, pitch, { count, width: headDim, first, step: headDim });
  const v =
    values === undefined
      ? of(kvHeads, keys)
      : headsOf(needed(at("v")), rows, values.columns, {
          count: kvHeads,
          width: values.dim,
          first: values.first,
          step: values.step,
        });
  const attended = attend(
    { ...shape, valueDim },
    of(heads, 0),
    of(kvHeads, heads * headDim),
    v,
    at("sinks"),
  );
  needed(at("y")).set(attended.data);
}

/** y [batch, heads, query, key], rows as long as quads make them. */
export function runScores(shape: AttentionShape, qkv: Float64Array, y: Float64Array): void {
  const { sequence, heads, kvHeads, headDim, values } = shape;
  const pitch = (heads + (values === undefined ? 2 : 1) * kvHeads) * headDim;
  eachScoreRow(shape, (own, head, query, row) => {
    const [first, end] = visibleRange(shape, sequence, query);
    const part = (token: number, index: number): Float64Array => {
      const start = (own * sequence + token) * pitch + index * headDim;
      return qkv.subarray(start, start + headDim);
    };
    y.fill(-Infinity, row, row + sequence);
    const q = part(query, head);
    for (let key = first; key < end; key++) {
      const k = part(key, heads + Math.floor((head * kvHeads) / heads));
      const product = q.reduce((sum, value, d) => sum + value * (k[d] ?? 0), 0);
      y[row + key] = scoreOf(shape, head, query, key, product);
    }
  });
}

export function runValues(
  shape: AttentionShape,
  weights: Float64Array,
  v: Float64Array,
  y: Float64Array,
): void {
  const { sequence, heads, kvHeads } = shape;
  const { dim, columns, first, step } = valuesOf(shape);
  eachScoreRow(shape, (own, head, query, row) => {
    const column = first + Math.floor((head * kvHeads) / heads) * step;
    for (let d = 0; d < dim; d++) {
      let sum = 0;
      for (let key = 0; key < sequence; key++) {
        sum += weights[row + key]! * v[(own * sequence + key) * columns + column + d]!;
      }
      y[((own * sequence + query) * heads + head) * dim + d] = sum;
    }
  });
}

function eachScoreRow(
  { batch, sequence, heads }: AttentionShape,
  see: (sequence: number, head: number, query: number, first: number) => void,
): void {
  for (let own = 0; own < batch; own++) {
    for (let head = 0; head < heads; head++) {
      for (let query = 0; query < sequence; query++) {
        see(own, head, query, ((own * heads + head) * sequence + query) * rowPitch(sequence));
      }
    }
  }
}

export function runRotary(shape: RotaryShape, buffers: readonly Float64Array[]): void {
  const {
    rows,
    sequence,
    heads,
    kvHeads,
    headDim,
    columns,
    turn,
    temperature,
    norm,
    latent,
    back,
  } = shape;
  const at = named(bindingsOf(rotary, shape), buffers);
  const [x, y] = [needed(at("x")), needed(at("y"))];
  const gains = at("gains");
  const isOwn = norm?.kind === "all-heads" || norm?.kind === "each-head";
  for (let row = 0; row < rows; row++) {
    const own = new Float64Array((heads + kvHeads) * headDim);
    own.set(
      x.subarray(row * columns, row * columns + (latent === undefined ? own.length : columns)),
    );
    if (latent !== undefined) {
      const { plainDim, valueDim, rank } = latent;
      const shared = headDim - plainDim;
      for (let head = 0; head < kvHeads; head++) {
        const key = (row * kvHeads + head) * (plainDim + valueDim);
        const place = (heads + head) * headDim;
        own.set(needed(at("kv")).subarray(key, key + plainDim), place);
        const down = row * (rank + shared) + rank;
        own.set(needed(at("down")).subarray(down, down + shared), place + plainDim);
      }
    }
    if (norm !== undefined) {
      const parts = [
        { first: 0, count: heads, gain: 0, square: 0 },
        { first: heads, count: kvHeads, gain: isOwn ? heads : 1, square: 1 },
      ];
      for (const { first, count, gain, square } of parts) {
        const part = own.subarray(first * headDim, (first + count) * headDim);
        const meanSquare = at("squares")?.[4 * row + square];
        normalizeHeads(part, norm, {
          heads: count,
          headDim,
          ...(gains && { gains: gains.subarray(gain * headDim) }),
          ...(meanSquare !== undefined && { meanSquare }),
        });
      }
    }
    if (turn !== undefined) {
      const position = positionOf(shape, row, at("spans"));
      const turnOf = turnsInTable(needed(at("rotations")), position, sequence, turn.dims);
      for (let head = 0; head < heads + kvHeads; head++) {
        const part = own.subarray(head * headDim, (head + 1) * headDim);
        if (back === undefined) turnHead(part, turn, turnOf);
        else turnGradient(part, turn, turnOf);
      }
    }
    if (temperature !== undefined) {
      const by = temperatureAt(temperature, positionOf(shape, row, at("spans")));
      for (let i = 0; i < heads * headDim; i++) own[i]! *= by;
    }
    const values = kvHeads * (back?.valueDim ?? 0);
    y.set(own, row * (own.length + values));
    if (back === undefined) continue;
    const dv = needed(at("dv")).subarray(row * values, (row + 1) * values);
    y.set(dv, row * (own.length + values) + own.length);
  }
}

export function runMeanSquares(shape: MeanSquaresShape, buffers: readonly Float64Array[]): void {
  const { rows, columns, queryColumns, keyColumns, ranks } = shape;
  const at = named(bindingsOf(meanSquares, shape), buffers);
  const [x, y, dy, gains] = [needed(at("x")), needed(at("y")), at("dy"), at("gains")];
  const mean = (row: number, first: number, count: number): number => {
    let sum = 0;
    for (let c = first; c < first + count; c++) {
      const value = x[row * columns + c]!;
      sum += value * (dy === undefined ? value : dy[row * columns + c]! * gains![c]!);
    }
    return sum / (ranks * count);
  };
  for (let row = 0; row < rows; row++) {
    y[4 * row] = mean(row, 0, queryColumns);
    y[4 * row + 1] = mean(row, queryColumns, keyColumns);
  }
}

export function runHeadMatmul(
  { rows, heads, k, n, kept, w, transposed }: HeadMatmulShape,
  x: Float64Array,
  weights: Float64Array,
  y: Float64Array,
): void {
  for (let i = 0; i < rows * heads; i++) {
    const own = x.subarray(i * (k + kept), (i + 1) * (k + kept));
    const block = w.first + (i % heads) * w.step;
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let depth = 0; depth < k; depth++) {
        const [row, inner] = transposed === "w" ? [column, depth] : [depth, column];
        sum +=
          (own[depth] ?? Number.NaN) * (weights[row * w.columns + block + inner] ?? Number.NaN);
      }
      y[i * (n + kept) + column] = sum;
    }
    y.set(own.subarray(k), i * (n + kept) + n);
  }
}
