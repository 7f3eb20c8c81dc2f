import type { ValuesApart } from "./attention_shape.ts";
import { type Kernel, read, write } from "./kernel.ts";
import { inRuns } from "./runs.ts";
import { bytesPerElement } from "./storage.ts";

export interface PackKeysValuesShape {
  readonly rows: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Of binding `k`, where keys of all heads lie side by side from `firstKey` on; multiples of 4. */
  readonly columns: number;
  readonly firstKey: number;
  /** Where values lie in binding `v`, which may be `k`. */
  readonly values: ValuesApart;
}

/** Of each row keys of all heads, then their values, side by side to be sent: kv [rows, kvHeads · (headDim + dim)]. */
export const packKeysValues: Kernel<PackKeysValuesShape> = {
  name: "pack_keys_values",
  bindings: [read("k"), read("v"), write("kv")],
  ...inRuns<PackKeysValuesShape>(
    (shape) => (shape.rows * packedColumns(shape)) / 4,
    ({ rows, kvHeads, headDim, columns, firstKey, values }) => ({
      ROWS: rows,
      KEY_QUADS: (kvHeads * headDim) / 4,
      VALUE_QUADS: values.dim / 4,
      KV_HEADS: kvHeads,
      K_QUADS: columns / 4,
      K_FIRST: firstKey / 4,
      V_QUADS: values.columns / 4,
      V_FIRST: values.first / 4,
      V_STEP: values.step / 4,
    }),
  ),
  flops: () => 0,
  bytes: (shape, dtype) => 2 * shape.rows * packedColumns(shape) * bytesPerElement(dtype),
};

function packedColumns({ kvHeads, headDim, values }: PackKeysValuesShape): number {
  return kvHeads * (headDim + values.dim);
}
