// The backward pass of attention against central differences of the forward pass, in f64.

import { expect, test } from "vitest";
import { attend, type AttendShape } from "../../../src/reference/attend.ts";
import { attendGradients } from "../../../src/reference/backward/attention.ts";
import { matrix } from "../../../src/reference/tensor.ts";
import {
  centralDifference,
  differenceError,
  gradientError,
  weightedSum,
} from "../../support/finite_difference.ts";
import { randomSource } from "../../support/tensors.ts";

const size = { sequence: 6, heads: 4, kvHeads: 2, headDim: 4, valueDim: 3, causal: true };

test.each<[string, Partial<AttendShape>]>([
  ["causal, with shared keys", {}],
  ["of all tokens", { causal: false }],
  ["with a scale", { scale: 0.9 }],
  ["with a soft cap", { softcap: 1.5 }],
  ["in a window", { window: 3 }],
  ["in a window both ways", { window: 2, causal: false }],
  ["in chunks", { chunk: 4 }],
  ["with slopes", { alibi: { heads: 6, first: 1 } }],
  ["of heads that share nothing", { kvHeads: 4 }],
])("attention %s", (_what, rest) => {
  const shape = { ...size, ...rest };
  const { heads, kvHeads, headDim, valueDim } = shape;
  const rows = 2 * shape.sequence;
  const random = randomSource(3);
  const numbers = (count: number): Float64Array =>
    Float64Array.from({ length: count }, () => 2 * random() - 1);
  const [q, k] = [numbers(rows * heads * headDim), numbers(rows * kvHeads * headDim)];
  const [v, dy] = [numbers(rows * kvHeads * valueDim), numbers(rows * heads * valueDim)];
  for (const sinks of [undefined, numbers(heads)]) {
    const of = (data: Float64Array) => matrix(rows, data.length / rows, data);
    const loss = (ofQ: Float64Array, ofK: Float64Array, ofV: Float64Array, ofSinks = sinks) =>
      weightedSum(attend(shape, of(ofQ), of(ofK), of(ofV), ofSinks).data, dy);
    const { dq, dk, dv, dsinks } = attendGradients(shape, of(q), of(k), of(v), of(dy), sinks);
    const pairs: [Float64Array, Float64Array][] = [
      [dq.data, centralDifference((x) => loss(x, k, v), q)],
      [dk.data, centralDifference((x) => loss(q, x, v), k)],
      [dv.data, centralDifference((x) => loss(q, k, x), v)],
      ...(sinks === undefined
        ? []
        : [
            [dsinks, centralDifference((x) => loss(q, k, v, x), sinks)] satisfies [
              Float64Array,
              Float64Array,
            ],
          ]),
    ];
    for (const [rule, difference] of pairs) {
      expect(gradientError(rule, difference)).toBeLessThan(differenceError);
    }
  }
});
