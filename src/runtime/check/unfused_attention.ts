// The parts of attention that is not fused, in f64, for some rows and heads: scores of queries and keys, and values by the
// weights that a softmax made of them.

import { type AttentionShape, qkvColumns } from "../../kernels/attention_shape.ts";
import { valuesOf } from "../../kernels/attention_values.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError, sumError } from "../../reference/rounding.ts";
import { type QueryOfHead, pairsOf, scoresOf, sequencesOf } from "./attention.ts";
import type { Coverage } from "./coverage.ts";
import { checkPadding } from "./rows.ts";
import type { Run } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

/** A key that a query does not see has a score of less. */
const leastScore = -1e30;

export async function checkScores(
  shape: AttentionShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { batch, sequence, heads, headDim } = shape;
  const deviation = createDeviation();
  const columns = qkvColumns(shape);
  const sequences = sequencesOf(batch, sequence * columns, random);
  const pairs = pairsOf(shape, sequences, random, effort.attentionWork);
  for (const own of sequences) {
    const qkv = await operands.rows("qkv", columns, [runOf(own, sequence)]);
    for (const pair of pairs.filter((each) => each.sequence === own)) {
      const row = scoreRow(shape, pair);
      const actual = (await operands.rows("y", sequence, [{ first: row, count: 1 }])).at(row);
      const { first, values, errors } = scoresOf(shape, pair, qkv);
      for (let key = 0; key < sequence; key++) {
        const found = actual[key] ?? Number.NaN;
        const expected = values[key - first];
        if (expected === undefined) {
          deviation.same(found, found < leastScore ? found : -Infinity, row, key);
          continue;
        }
        const accepted = (errors[key - first] ?? 0) + 8 * storedError(expected, "f32");
        deviation.add(found, expected, accepted, row, key);
      }
      checkPadding(actual, row, sequence, deviation);
      await operands.pace(4 * sequence * headDim);
    }
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: batch * sequence * heads,
    deviation,
  };
}

export async function checkValues(
  shape: AttentionShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { batch, sequence, heads, kvHeads } = shape;
  const deviation = createDeviation();
  const { dim: valueDim, columns, first, step } = valuesOf(shape);
  const sequences = sequencesOf(batch, sequence * columns, random);
  const pairs = pairsOf(shape, sequences, random, effort.attentionWork);
  for (const own of sequences) {
    const runs = [runOf(own, sequence)];
    const v = await operands.rows("v", columns, runs);
    const y = await operands.rows("y", heads * valueDim, runs);
    for (const pair of pairs.filter((each) => each.sequence === own)) {
      const row = scoreRow(shape, pair);
      const weights = (await operands.rows("weights", sequence, [{ first: row, count: 1 }])).at(
        row,
      );
      const column = first + Math.floor((pair.head * kvHeads) / heads) * step;
      const actual = y.at(own * sequence + pair.row);
      for (let d = 0; d < valueDim; d++) {
        let [expected, squares] = [0, 0];
        for (let key = 0; key < sequence; key++) {
          const term = (weights[key] ?? 0) * (v.at(own * sequence + key)[column + d] ?? Number.NaN);
          expected += term;
          squares += term * term;
        }
        const at = pair.head * valueDim + d;
        const accepted =
          storedError(expected, operands.dtype) +
          sumError(sequence, squares, expected) +
          8 * storedError(expected, "f32");
        deviation.add(actual[at] ?? Number.NaN, expected, accepted, own * sequence + pair.row, at);
      }
      await operands.pace(4 * sequence * valueDim);
    }
  }
  return {
    unit: "pairs of a row and a head",
    checked: pairs.length,
    total: batch * sequence * heads,
    deviation,
  };
}

function runOf(sequence: number, rows: number): Run {
  return { first: sequence * rows, count: rows };
}

/** Of scores and of weights. */
function scoreRow({ sequence, heads }: AttentionShape, pair: QueryOfHead): number {
  return (pair.sequence * heads + pair.head) * sequence + pair.row;
}
