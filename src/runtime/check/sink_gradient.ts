// Gradients of sinks, made again in f64 from the statistics that the kernel read.

import type { SinkGradientShape } from "../../kernels/sink_gradient.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError, sumError, unitRoundoff } from "../../reference/rounding.ts";
import type { Coverage } from "./coverage.ts";
import { addOrOverflow } from "./overflow.ts";
import { checkPadding, exponentialError } from "./rows.ts";
import { heldBefore, type Operands } from "./view.ts";

export async function checkSinkGradient(
  { rows, heads }: SinkGradientShape,
  operands: Operands,
): Promise<Coverage> {
  const deviation = createDeviation();
  const [sinks, statistics] = [await operands.floats("sinks"), await operands.floats("statistics")];
  const [before, after] = [heldBefore(operands, "dsinks"), await operands.floats("dsinks")];
  for (let head = 0; head < heads; head++) {
    const sink = sinks[head] ?? Number.NaN;
    let [sum, squares, lost] = [0, 0, 0];
    for (let row = 0; row < rows; row++) {
      const at = 2 * (row * heads + head);
      const [logarithm = Number.NaN, product = Number.NaN] = statistics.subarray(at, at + 2);
      const distance = sink - logarithm * Math.LN2;
      const term = Math.exp(distance) * product;
      sum += term;
      squares += term ** 2;
      // The distance itself is rounded, of two numbers that may be larger.
      const rounded = 4 * unitRoundoff.f32 * (Math.abs(sink) + Math.abs(logarithm));
      lost += ((exponentialError(distance) + rounded) * term) ** 2;
    }
    const expected = (before[head] ?? Number.NaN) - sum;
    const accepted =
      sumError(rows, squares, sum) +
      2 * Math.sqrt(lost * rows) +
      storedError(expected, "f32") +
      rows * 2 ** -126;
    addOrOverflow(deviation, after[head] ?? Number.NaN, expected, accepted, 0, head);
    await operands.pace(8 * rows);
  }
  checkPadding(after, 0, heads, deviation);
  return { unit: "results", checked: heads, total: heads, deviation };
}
