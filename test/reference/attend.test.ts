import { expect, test } from "vitest";
import { attend, type AttendShape } from "../../src/reference/attend.ts";
import { scoreOf, visibleRange } from "../../src/reference/scores.ts";
import { matrix, type Matrix } from "../../src/reference/tensor.ts";
import { randomSource } from "../support/tensors.ts";

const size = { sequence: 131, heads: 4, kvHeads: 2, headDim: 5, valueDim: 3, causal: true };

/** One query at a time. */
function oneByOne(shape: AttendShape, q: Matrix, k: Matrix, v: Matrix, sinks?: Float64Array) {
  const { sequence, heads, kvHeads, headDim, valueDim } = shape;
  const out = matrix(q.rows, heads * valueDim);
  const at = (m: Matrix, row: number, column: number): number => m.data[row * m.columns + column]!;
  for (let row = 0; row < q.rows; row++) {
    const position = row % sequence;
    const [first, end] = visibleRange(shape, sequence, position);
    for (let head = 0; head < heads; head++) {
      const kvHead = Math.floor((head * kvHeads) / heads);
      const weights: number[] = [];
      for (let t = first; t < end; t++) {
        let product = 0;
        for (let d = 0; d < headDim; d++) {
          product +=
            at(q, row, head * headDim + d) * at(k, row - position + t, kvHead * headDim + d);
        }
        weights.push(Math.exp(scoreOf(shape, head, position, t, product)));
      }
      const ofSink = sinks === undefined ? 0 : Math.exp(sinks[head]!);
      const total = weights.reduce((sum, weight) => sum + weight, ofSink);
      for (let d = 0; d < valueDim; d++) {
        out.data[row * out.columns + head * valueDim + d] =
          weights.reduce(
            (sum, weight, i) =>
              sum + weight * at(v, row - position + first + i, kvHead * valueDim + d),
            0,
          ) / total;
      }
    }
  }
  return out;
}

test.for<[string, Partial<AttendShape>]>([
  ["causal, with shared keys", {}],
  ["of all tokens", { causal: false }],
  ["of fewer tokens than are computed together", { sequence: 7 }],
  ["with a soft cap", { softcap: 1.5 }],
  ["in a window", { window: 9 }],
  ["in a window both ways", { window: 70, causal: false }],
  ["in chunks", { chunk: 50 }],
  ["with slopes", { alibi: { heads: 6, first: 1 } }],
  ["of heads that share nothing", { kvHeads: 4 }],
])("attention %s is that of one query at a time", ([, rest]) => {
  const shape = { ...size, ...rest };
  const { sequence, heads, kvHeads, headDim, valueDim } = shape;
  const random = randomSource(5);
  const numbers = (columns: number): Matrix =>
    matrix(
      2 * sequence,
      columns,
      Float64Array.from({ length: 2 * sequence * columns }, () => 2 * random() - 1),
    );
  const [q, k, v] = [heads * headDim, kvHeads * headDim, kvHeads * valueDim].map(numbers);
  for (const sinks of [undefined, Float64Array.from({ length: heads }, random)]) {
    const expected = oneByOne(shape, q!, k!, v!, sinks).data;
    const actual = attend(shape, q!, k!, v!, sinks).data;
    const error = Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!)));
    expect(error).toBeLessThan(1e-13);
  }
});
