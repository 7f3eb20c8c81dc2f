// Attention by its definition: scores, softmax, weighted sum, in f64. Queries that follow each other are computed
// together, so that both products are products of matrices.

import { scoreOf, type ScoreShape, visibleRange } from "./scores.ts";
import { matrix, type Matrix, multiply, rowOf, transpose } from "./tensor.ts";

export interface AttendShape extends ScoreShape {
  readonly sequence: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly valueDim: number;
}

/**
 * q [rows, heads · headDim], k [rows, kvHeads · headDim] and v [rows, kvHeads · valueDim]; rows are whole sequences.
 *
 * @param sinks a score of each head that no value belongs to
 */
export function attend(
  shape: AttendShape,
  q: Matrix,
  k: Matrix,
  v: Matrix,
  sinks?: ArrayLike<number>,
): Matrix {
  const out = matrix(q.rows, shape.heads * shape.valueDim);
  for (const { head, queries, values, shares } of queryBlocks(shape, q, k, v, sinks)) {
    addPart(out, { ...queries, column: head * shape.valueDim }, multiply(shares, values));
  }
  return out;
}

/** Neighbors of one head of one sequence, with all keys that one of them sees. */
export interface QueryBlock {
  readonly head: number;
  readonly kvHead: number;
  /** Rows of q, and of k and v. */
  readonly queries: PartRows;
  readonly keys: PartRows;
  /** [queries, headDim], [keys, headDim] and [keys, valueDim]. */
  readonly query: Matrix;
  readonly key: Matrix;
  readonly values: Matrix;
  /** Of queries and keys, [queries, keys], and the softmax of their scores: 0 where a query does not see a key. */
  readonly products: Matrix;
  readonly shares: Matrix;
  /** What is left of each query's for the sink. */
  readonly sinkShares: Float64Array;
}

export interface PartRows {
  readonly row: number;
  readonly count: number;
}

/** Of matrices in `attend`, the part in rows and columns. */
export interface PartPlace extends PartRows {
  readonly column: number;
}

const queriesAtOnce = 64;

/** Every query of every head once. */
export function* queryBlocks(
  shape: AttendShape,
  q: Matrix,
  k: Matrix,
  v: Matrix,
  sinks?: ArrayLike<number>,
): Generator<QueryBlock> {
  const { sequence, heads, kvHeads, headDim, valueDim } = shape;
  for (let start = 0; start < q.rows; start += sequence) {
    for (let first = 0; first < sequence; first += queriesAtOnce) {
      const count = Math.min(queriesAtOnce, sequence - first);
      const [begin] = visibleRange(shape, sequence, first);
      const [, end] = visibleRange(shape, sequence, first + count - 1);
      const queries = { row: start + first, count };
      const keys = { row: start + begin, count: end - begin };
      for (let head = 0; head < heads; head++) {
        const kvHead = Math.floor((head * kvHeads) / heads);
        const query = partOf(q, { ...queries, column: head * headDim }, headDim);
        const key = partOf(k, { ...keys, column: kvHead * headDim }, headDim);
        const values = partOf(v, { ...keys, column: kvHead * valueDim }, valueDim);
        const products = multiply(query, transpose(key));
        const sink = sinks?.[head];
        const softmax = softmaxOf(shape, head, first, begin, products, sink);
        yield { head, kvHead, queries, keys, query, key, values, products, ...softmax };
      }
    }
  }
}

/**
 * @param first position of the first query
 * @param begin that of the first key
 */
function softmaxOf(
  shape: AttendShape,
  head: number,
  first: number,
  begin: number,
  products: Matrix,
  sink = -Infinity,
): Pick<QueryBlock, "shares" | "sinkShares"> {
  const shares = matrix(products.rows, products.columns);
  const sinkShares = new Float64Array(products.rows);
  for (let i = 0; i < products.rows; i++) {
    const [from, to] = visibleRange(shape, shape.sequence, first + i);
    const own = rowOf(shares, i);
    const product = rowOf(products, i);
    let largest = sink;
    for (let at = from - begin; at < to - begin; at++) {
      own[at] = scoreOf(shape, head, first + i, begin + at, product[at]!);
      largest = Math.max(largest, own[at]!);
    }
    const ofSink = Math.exp(sink - largest);
    let total = ofSink;
    for (let at = from - begin; at < to - begin; at++) {
      own[at] = Math.exp(own[at]! - largest);
      total += own[at]!;
    }
    for (let at = from - begin; at < to - begin; at++) own[at]! /= total;
    sinkShares[i] = ofSink / total;
  }
  return { shares, sinkShares };
}

/** A copy, `width` wide. */
export function partOf(m: Matrix, { row, count, column }: PartPlace, width: number): Matrix {
  const part = matrix(count, width);
  for (let i = 0; i < count; i++) {
    rowOf(part, i).set(rowOf(m, row + i).subarray(column, column + width));
  }
  return part;
}

/** To the part of m, which is as large. */
export function addPart(m: Matrix, { row, count, column }: PartPlace, part: Matrix): void {
  for (let i = 0; i < count; i++) {
    const own = rowOf(m, row + i);
    const from = i * part.columns;
    for (let c = 0; c < part.columns; c++) own[column + c]! += part.data[from + c]!;
  }
}
