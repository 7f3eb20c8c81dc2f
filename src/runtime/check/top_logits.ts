// The largest logits of some rows, found again on the host: to the last bit.

import { noToken, type TopLogitsShape } from "../../kernels/top_logits.ts";
import { createDeviation } from "../../reference/deviation.ts";
import type { Coverage } from "./coverage.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import type { Operands, CheckSampling } from "./view.ts";

export async function checkTopLogits(
  { rows, columns, considered, firstId, count }: TopLogitsShape,
  operands: Operands,
  { random, effort }: CheckSampling,
): Promise<Coverage> {
  const runs = sampleRows(rows, columns, random, effort.rowElements);
  const deviation = createDeviation();
  const logits = await operands.rows("logits", columns, runs);
  const found = await operands.words("candidates");
  const floats = new Float32Array(found.buffer, found.byteOffset, found.length);
  for (const row of rowsOf(runs)) {
    const own = logits.at(row).subarray(0, considered);
    const ordered = [...own.entries()]
      .filter(([, logit]) => Number.isFinite(logit))
      .toSorted(([a, x], [b, y]) => y - x || a - b);
    for (let i = 0; i < count; i++) {
      const at = 2 * (row * count + i);
      const [column, logit] = ordered[i] ?? [];
      const id = column === undefined ? noToken : firstId + column;
      deviation.same(found[at + 1] ?? Number.NaN, id, row, i);
      if (logit !== undefined) deviation.same(floats[at] ?? Number.NaN, logit, row, i);
    }
    await operands.pace(count * columns);
  }
  return { unit: "rows", checked: countRows(runs), total: rows, deviation };
}
