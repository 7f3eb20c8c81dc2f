// Gradients of activations and their gates, made again in f64 row by row.

import type { Activation } from "../../kernels/activation.ts";
import type { ActivationGradientShape } from "../../kernels/activation_gradient.ts";
import { gateFactor } from "../../reference/activations.ts";
import { activationGradients } from "../../reference/backward/gated_activation.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { activationError } from "./finish.ts";
import { checkPadding } from "./rows.ts";
import { usedRows } from "./used_rows.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

/** Of a derivative: WGSL grants exp 3 + 2|x| units and a division 2.5; that of ReLU's square is one multiplication. */
function slopeError(u: number, activation: Activation): number {
  switch (activation) {
    case "none":
    case "relu":
      return 0;
    case "relu2":
      return 2 ** -22 * Math.abs(u);
    case "gelu-erf":
      // That of the formula, and of its exponential.
      return 5e-7 + (64 + 16 * Math.abs(u)) * 2 ** -24;
    default:
      return (64 + 16 * Math.abs(u)) * 2 ** -24;
  }
}

export async function checkActivationGradient(
  shape: ActivationGradientShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const { columns, activation } = shape;
  const rows = await usedRows(shape, operands);
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const table = async (name: string) => operands.rows(name, columns, runs);
  const [dh, u, du] = [await table("dh"), await table("u"), await table("du")];
  const gate = shape.gate === true ? await table("gate") : undefined;
  const dgate = shape.gate === true ? await table("dgate") : undefined;
  const own = (values: Float32Array): Float64Array =>
    Float64Array.from(values.subarray(0, columns));
  for (const row of rowsOf(runs)) {
    const [given, before] = [own(dh.at(row)), own(u.at(row))];
    const gates = gate && own(gate.at(row));
    const expected = activationGradients(shape, given, before, gates);
    const [actual, actualGate] = [du.at(row), dgate?.at(row)];
    for (let c = 0; c < columns; c++) {
      const [value, at] = [given[c] ?? Number.NaN, before[c] ?? Number.NaN];
      const factor = gates === undefined ? 1 : gateFactor(activation, gates[c] ?? Number.NaN);
      const gradient = expected.du[c] ?? Number.NaN;
      const accepted =
        Math.abs(value * factor) * slopeError(at, activation) +
        4 * storedError(gradient, "f32") +
        storedError(gradient, operands.dtype);
      deviation.add(actual[c] ?? Number.NaN, gradient, accepted, row, c);
      if (actualGate === undefined) continue;
      const ofGate = expected.dgate?.[c] ?? Number.NaN;
      const acceptedGate =
        Math.abs(value) * activationError(at, shape) +
        4 * storedError(ofGate, "f32") +
        storedError(ofGate, operands.dtype);
      deviation.add(actualGate[c] ?? Number.NaN, ofGate, acceptedGate, row, c);
    }
    checkPadding(actual, row, columns, deviation);
    if (actualGate !== undefined) checkPadding(actualGate, row, columns, deviation);
    await operands.pace(16 * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}
