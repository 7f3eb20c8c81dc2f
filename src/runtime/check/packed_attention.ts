// Keys and values side by side, and gradients as they are stored, from what the operands held in this run.

import type { PackAttentionGradientShape } from "../../kernels/pack_attention_gradient.ts";
import type { PackKeysValuesShape } from "../../kernels/pack_keys_values.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import type { CheckSampling, Operands } from "./view.ts";

export async function checkPackedKeys(
  { rows, kvHeads, headDim, columns, firstKey, values }: PackKeysValuesShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const deviation = createDeviation();
  const keys = kvHeads * headDim;
  const all = keys + kvHeads * values.dim;
  const runs = sampleRows(rows, all, random, effort.rowElements);
  const k = await operands.rows("k", columns, runs);
  const v = await operands.rows("v", values.columns, runs);
  const kv = await operands.rows("kv", all, runs);
  for (const row of rowsOf(runs)) {
    const [own, ofKeys, ofValues] = [kv.at(row), k.at(row), v.at(row)];
    for (let c = 0; c < all; c++) {
      const value = c - keys;
      const place = values.first + Math.floor(value / values.dim) * values.step;
      const expected = value < 0 ? ofKeys[firstKey + c] : ofValues[place + (value % values.dim)];
      deviation.same(own[c] ?? Number.NaN, expected ?? Number.NaN, row, c);
    }
    await operands.pace(all);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}

export async function checkPackedGradient(
  { rows, queryColumns, keyColumns, first, columns }: PackAttentionGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const deviation = createDeviation();
  const runs = sampleRows(rows, queryColumns + 2 * keyColumns, random, effort.rowElements);
  const dq = await operands.rows("dq", queryColumns, runs);
  const own = await operands.rows("own", keyColumns, runs);
  const arrived = await operands.rows("arrived", keyColumns, runs);
  const y = await operands.rows("y", columns, runs);
  for (const row of rowsOf(runs)) {
    const [q, a, b, actual] = [dq.at(row), own.at(row), arrived.at(row), y.at(row)];
    for (let c = 0; c < columns; c++) {
      const key = first + c - queryColumns;
      const sum = key < 0 ? q[first + c] : (a[key] ?? Number.NaN) + (b[key] ?? Number.NaN);
      const expected = sum ?? Number.NaN;
      const accepted = storedError(expected, operands.dtype) + storedError(expected, "f32");
      deviation.add(actual[c] ?? Number.NaN, expected, accepted, row, c);
    }
    await operands.pace(2 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}
