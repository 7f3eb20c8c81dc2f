// New tokens in a cache: all of them, since they are few and each is copied.

import { type AppendCacheShape, appendedColumns } from "../../kernels/append_cache.ts";
import { createDeviation } from "../../reference/deviation.ts";
import { storedError } from "../../reference/rounding.ts";
import { cacheRows, cachedTokens } from "./cached_tokens.ts";
import type { Coverage } from "./coverage.ts";
import { runsOf } from "./sample.ts";
import type { CheckView, Operands } from "./view.ts";

export async function checkAppend(
  shape: AppendCacheShape,
  operands: Operands,
  view: CheckView,
): Promise<Coverage> {
  const { left, right, cacheDtype } = shape;
  const columns = appendedColumns(shape);
  const deviation = createDeviation();
  const { rows, positionOf, placeOf } = await cachedTokens(shape, operands);
  const x = await operands.rows("left", left.columns, runsOf(rows));
  const y = await operands.rows("right", right.columns, runsOf(rows));
  const placeOfRow = (row: number): number => placeOf(row, positionOf(row));
  const held = await cacheRows(view, operands, columns, cacheDtype, rows.map(placeOfRow));
  for (const row of rows) {
    const expected = [
      ...x.at(row).subarray(left.first, left.first + left.size),
      ...Array.from({ length: right.heads }, (_, head) => right.first + head * right.step).flatMap(
        (first) => [...y.at(row).subarray(first, first + right.dim)],
      ),
    ];
    const own = held.at(placeOfRow(row));
    for (const [c, value] of expected.entries()) {
      const accepted = cacheDtype === operands.dtype ? 0 : 2 * storedError(value, cacheDtype);
      if (accepted === 0) deviation.same(own[c] ?? Number.NaN, value, row, c);
      else deviation.add(own[c] ?? Number.NaN, value, accepted, row, c);
    }
    await operands.pace(columns);
  }
  return { unit: "rows", checked: rows.length, total: rows.length, deviation };
}
