// The mean over each sequence, or over the whole micro-batch.

import type { AggregateLayer } from "../../plan/layers/aggregate.ts";
import { matrix, rowOf, type Matrix } from "../tensor.ts";
import type { ReferenceLayer } from "./context.ts";

export const aggregate: ReferenceLayer<AggregateLayer> = {
  apply: ({ rowsPerSample }, { over }, x) => ({
    output: meanOfGroups(x, over === "batch" ? x.rows : rowsPerSample),
    rowsPerSample: 1,
  }),
  gradient: ({ rowsPerSample }, { over }, x, dy) =>
    spreadOverGroups(dy, x.rows, over === "batch" ? x.rows : rowsPerSample),
  round({ stored, rows, sequence }, { over }, x) {
    const group = over === "batch" ? rows : sequence;
    return stored({ value: x.value / group, error: x.error / group });
  },
};

function meanOfGroups(x: Matrix, group: number): Matrix {
  const out = matrix(x.rows / group, x.columns);
  for (let r = 0; r < x.rows; r++) {
    const target = rowOf(out, Math.floor(r / group));
    for (const [c, value] of rowOf(x, r).entries()) target[c] = (target[c] ?? 0) + value / group;
  }
  return out;
}

function spreadOverGroups(dy: Matrix, rows: number, group: number): Matrix {
  const out = matrix(rows, dy.columns);
  for (let r = 0; r < rows; r++) {
    rowOf(out, r).set(rowOf(dy, Math.floor(r / group)).map((value) => value / group));
  }
  return out;
}
