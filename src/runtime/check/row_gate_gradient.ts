// Gradients of a product and of the gate that its rows are shares of, made again in f64 row by row.

import type { RowGateGradientShape } from "../../kernels/row_gate_gradient.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { checkPadding } from "./rows.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import { productOf } from "./score.ts";
import type { CheckSampling, Operands } from "./view.ts";

export async function checkRowGateGradient(
  { rows, columns }: RowGateGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const table = async (name: string, width: number) => operands.rows(name, width, runs);
  const [y, dy, dp] = [
    await table("y", columns),
    await table("dy", columns),
    await table("dp", columns),
  ];
  const [gate, dgate] = [await table("gate", 1), await table("dgate", 1)];
  const { dtype } = operands;
  for (const row of rowsOf(runs)) {
    const [logit = Number.NaN] = gate.at(row);
    const [share, rest] = [1 / (1 + Math.exp(-logit)), 1 / (1 + Math.exp(logit))];
    // As of a product's gate of rows.
    const relative = (16 + 4 * Math.abs(logit)) * unitRoundoff.f32;
    // Of gates that are all but shut: exponents end at 80.
    const shut = 2 ** -110;
    const [given, actual] = [dy.at(row), dp.at(row)];
    for (let c = 0; c < columns; c++) {
      const expected = (given[c] ?? Number.NaN) * share;
      const accepted =
        relative * Math.abs(expected) +
        shut * Math.abs(given[c] ?? Number.NaN) +
        storedError(expected, "f32") +
        storedError(expected, dtype);
      deviation.add(actual[c] ?? Number.NaN, expected, accepted, row, c);
    }
    checkPadding(actual, row, columns, deviation);
    const product = productOf(y.at(row), given);
    const slope = product.value * rest;
    const accepted =
      product.error * rest +
      shut * Math.abs(product.value) +
      (relative + 2 * unitRoundoff.f32) * Math.abs(slope) +
      storedError(slope, dtype) +
      storedError(slope, "f32");
    deviation.add(dgate.at(row)[0] ?? Number.NaN, slope, accepted, row, columns);
    checkPadding(dgate.at(row), row, 1, deviation);
    await operands.pace(6 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}
