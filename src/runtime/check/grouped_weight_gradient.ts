// Gradients of experts' weights: each by Freivalds' check, as a product over the expert's rows.

import type { GroupedWeightGradientShape } from "../../kernels/grouped_weight_gradient.ts";
import { rowPitch } from "../../kernels/storage.ts";
import { createDeviation } from "../../reference/deviation.ts";
import type { Coverage } from "./coverage.ts";
import { checkRows, project } from "./freivalds.ts";
import { checkPadding } from "./rows.ts";
import { transpose } from "./transpose.ts";
import { heldBefore, type Operands, type CheckSampling } from "./view.ts";

export async function checkGroupedWeightGradient(
  { experts, m, n }: GroupedWeightGradientShape,
  operands: Operands,
  { random }: Pick<CheckSampling, "random">,
): Promise<Coverage> {
  const deviation = createDeviation();
  const offsets = await operands.words("offsets");
  const before = heldBefore(operands, "y");
  const rounding = { stored: "f32", arithmetic: "f32" } as const;
  for (let expert = 0; expert < experts; expert++) {
    const [first = 0, end = 0] = offsets.subarray(expert, expert + 2);
    const k = end - first;
    const runs = k === 0 ? [] : [{ first, count: k }];
    const { values: x } = await operands.rows("x", m, runs);
    const { values: w } = await operands.rows("w", n, runs);
    const own = [{ first: expert * m, count: m }];
    const { values: y } = await operands.rows("y", n, own);
    const held = before.subarray(expert * m * rowPitch(n), (expert + 1) * m * rowPitch(n));
    const product = {
      x: transpose(x, k, m),
      y,
      before: held,
      m,
      n,
      k,
      firstRow: expert * m,
    };
    const projection = await project(w, k, n, random, operands.pace);
    await checkRows(product, projection, rounding, deviation, operands.pace);
    for (let row = 0; row < m; row++) {
      const stored = y.subarray(row * rowPitch(n), (row + 1) * rowPitch(n));
      checkPadding(stored, expert * m + row, n, deviation);
    }
  }
  return { unit: "rows", checked: experts * m, total: experts * m, deviation };
}
