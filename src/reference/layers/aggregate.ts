// The mean over each sequence, or over the whole micro-batch.

import type { AggregateLayer } from "../../plan/layers/aggregate.ts";
import { matrix, rowOf, type Matrix } from "../tensor.ts";
import type { ReferenceLayer } from "./context.ts";

export const aggregate: ReferenceLayer<AggregateLayer> = {
  apply: ({ rowsPerSample }, { over }, x) => ({
    output: meanOfGroups(x, over === "batch" ? x.rows : rowsPerSample),
    rowsPerSample: 1,
  }),
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
