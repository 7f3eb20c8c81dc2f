// Activations and their gates, made again in f64 row by row.

import type { ActivateShape } from "../../kernels/activate.ts";
import { activationFunctions, gateFactor } from "../../reference/activations.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { activationError } from "./finish.ts";
import { checkPadding } from "./rows.ts";
import { usedRows } from "./used_rows.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

export async function checkActivate(
  shape: ActivateShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { columns, activation, cap } = shape;
  const rows = await usedRows(shape, operands);
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const x = await operands.rows("x", columns, runs);
  const y = await operands.rows("y", columns, runs);
  const gate = shape.gate === true ? await operands.rows("gate", columns, runs) : undefined;
  const activated = activationFunctions(activation, cap);
  for (const row of rowsOf(runs)) {
    const [own, actual, gates] = [x.at(row), y.at(row), gate?.at(row)];
    for (let c = 0; c < columns; c++) {
      const value = own[c] ?? Number.NaN;
      const factor = gates === undefined ? 1 : gateFactor(activation, gates[c] ?? Number.NaN);
      const expected = activated(value) * factor;
      const accepted =
        Math.abs(factor) * activationError(value, shape) +
        4 * storedError(expected, "f32") +
        storedError(expected, operands.dtype);
      deviation.add(actual[c] ?? Number.NaN, expected, accepted, row, c);
    }
    checkPadding(actual, row, columns, deviation);
    await operands.pace(8 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}
