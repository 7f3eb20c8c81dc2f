// Whether a result is right: its rows against f64, all of them where that is affordable.

import { type Expected, outOfTolerance } from "../../test/support/tolerance.ts";
import {
  attentionRow,
  expertRow,
  productRow,
  rmsNormRow,
  rowsOf,
  sampledRows,
  softmaxRow,
} from "../expected_rows.ts";
import { operand, operandsOf } from "./operands.ts";
import { epsilon, type Task } from "./tasks.ts";

export interface Verdict {
  /** The first element that is further off than f32 arithmetic explains; absent when all are right. */
  readonly wrong?: string;
  /** Largest error of a checked element, relative to the largest of them. */
  readonly largestError: number;
  readonly checkedRows: number;
  readonly rows: number;
}

/** Multiply-adds of one check; more rows are sampled. */
const affordable = 3e8;

export type Check = (result: Float32Array) => Verdict;

/** Computes what is right once, for the results of all contenders. */
export function checkOf(task: Task): Check {
  const { rows, columns, rowCost, expected } = rowsToCheck(task);
  const known = sampledRows(rows, affordable / rowCost).map((row) => [row, expected(row)] as const);
  return (result) => {
    const counts = { checkedRows: known.length, rows };
    if (result.length !== rows * columns) {
      return {
        wrong: `${result.length} elements where there should be ${rows * columns}`,
        largestError: Number.NaN,
        ...counts,
      };
    }
    let wrong: string | undefined;
    let largest = 0;
    let error = 0;
    for (const [row, right] of known) {
      const actual = Float64Array.from(result.subarray(row * columns, (row + 1) * columns));
      for (const [column, value] of right.values.entries()) {
        largest = Math.max(largest, Math.abs(value));
        error = Math.max(error, Math.abs((actual[column] ?? Number.NaN) - value));
      }
      const [first] = wrong === undefined ? outOfTolerance(actual, right, "f32") : [];
      if (first !== undefined) wrong = `row ${row}, column ${first}`;
    }
    return {
      ...(wrong === undefined ? {} : { wrong }),
      largestError: error / largest,
      ...counts,
    };
  };
}

interface RowsToCheck {
  readonly rows: number;
  readonly columns: number;
  /** Multiply-adds of one row. */
  readonly rowCost: number;
  readonly expected: (row: number) => Expected;
}

function rowsToCheck(task: Task): RowsToCheck {
  const operands = operandsOf(task);
  const values = (name: string) => operand(operands, name).values;
  const row = (name: string, index: number, columns: number) =>
    values(name).subarray(index * columns, (index + 1) * columns);
  switch (task.op) {
    case "matmul": {
      const { m, k, n } = task;
      return {
        rows: m,
        columns: n,
        rowCost: k * n,
        expected: (index) => productRow(row("x", index, k), rowsOf(values("w"), n), n),
      };
    }
    case "experts": {
      const { hidden, ffn } = task;
      return {
        rows: task.experts * task.rows,
        columns: hidden,
        rowCost: 2 * hidden * ffn,
        expected(index) {
          const weights = Math.floor(index / task.rows) * hidden * ffn;
          const up = rowsOf(values("up"), ffn, weights);
          const down = rowsOf(values("down"), hidden, weights);
          return expertRow(row("x", index, hidden), up, ffn, down, hidden);
        },
      };
    }
    case "attention": {
      const { sequence, heads, headDim, causal } = task;
      const columns = heads * headDim;
      return {
        rows: sequence,
        columns,
        rowCost: 2 * sequence * columns,
        expected: (index) =>
          attentionRow(
            row("q", index, columns),
            rowsOf(values("k"), columns),
            rowsOf(values("v"), columns),
            causal ? index + 1 : sequence,
            { heads, kvHeads: heads, headDim },
          ),
      };
    }
    case "attend_cache": {
      const { batch, kvHeads, group, headDim, keys } = task;
      const cached = { heads: 1, kvHeads: 1, headDim };
      return {
        rows: batch * kvHeads * group,
        columns: headDim,
        rowCost: 2 * keys * headDim,
        expected(index) {
          const first = Math.floor(index / group) * keys * headDim;
          const [k, v] = [rowsOf(values("k"), headDim, first), rowsOf(values("v"), headDim, first)];
          return attentionRow(row("q", index, headDim), k, v, keys, cached);
        },
      };
    }
    case "routing": {
      const { tokens, experts, topK } = task;
      return {
        rows: tokens,
        columns: topK,
        rowCost: experts,
        expected: (index) =>
          softmaxRow(
            row("x", index, experts)
              .toSorted((a, b) => b - a)
              .subarray(0, topK),
          ),
      };
    }
    case "softmax": {
      const { rows, columns } = task;
      return {
        rows,
        columns,
        rowCost: columns,
        expected: (index) => softmaxRow(row("x", index, columns)),
      };
    }
    case "rms_norm": {
      const { rows, columns } = task;
      return {
        rows,
        columns,
        rowCost: columns,
        expected: (index) => rmsNormRow(row("x", index, columns), values("gain"), epsilon),
      };
    }
  }
}
