// Weights and inputs, held against what their source says: element by element where a rank holds few, else some rows of
// each.

import type { DType } from "../../kernels/storage.ts";
import type { Content, RegionContent } from "../../program/content.ts";
import type { ContentSource } from "../../program/content_source.ts";
import { contentValues } from "../../program/content_values.ts";
import { createDeviation } from "../../reference/deviation.ts";
import type { Coverage } from "./coverage.ts";
import { createPace } from "./decode.ts";
import { countRows, rowsOf, sampleRows } from "./sample.ts";
import { type CheckView, readAll, readRows } from "./view.ts";

export async function checkContent(
  view: CheckView,
  buffer: string,
  content: Content,
  dtype: DType,
  source: ContentSource,
  /** Elements that are made again, at most. */
  most: number,
): Promise<Coverage> {
  const pace = createPace(view.pause);
  const parts = content.kind === "beside" ? content.parts : [content];
  const rows = rowCount(parts[0]);
  const widths = parts.map((part) => part.size.at(-1) ?? 1);
  const columns = widths.reduce((sum, width) => sum + width, 0);
  const deviation = createDeviation();
  if (dtype === "u32") {
    const [only] = parts;
    const words = new Uint32Array((await readAll(view, buffer)).buffer);
    const expected = only === undefined ? [] : contentValues(only, source, "f32");
    for (const [i, id] of expected.entries()) deviation.same(words[i] ?? Number.NaN, id, 0, i);
    await pace(expected.length);
    return { unit: "elements", checked: expected.length, total: expected.length, deviation };
  }
  const runs = sampleRows(rows, columns, view.random, most);
  const held = await readRows(view, buffer, columns, dtype, runs, pace);
  for (const row of rowsOf(runs)) {
    const own = held.at(row);
    let start = 0;
    for (const [i, part] of parts.entries()) {
      const expected = contentValues(rowOfContent(part, row), source, dtype);
      for (const [c, value] of expected.entries()) {
        deviation.same(own[start + c] ?? Number.NaN, value, row, start + c);
      }
      start += widths[i] ?? 0;
    }
    for (let c = columns; c < own.length; c++) deviation.same(own[c] ?? Number.NaN, 0, row, c);
    // A hash of each.
    await pace(8 * columns);
  }
  return {
    unit: "elements",
    checked: countRows(runs) * columns,
    total: rows * columns,
    deviation,
  };
}

function rowCount(part: RegionContent | undefined): number {
  return (part?.size.slice(0, -1) ?? []).reduce((product, extent) => product * extent, 1);
}

/** One row of a region. */
function rowOfContent(part: RegionContent, row: number): RegionContent {
  const leading = part.size.slice(0, -1);
  const offset = [...part.offset];
  let rest = row;
  for (let axis = leading.length - 1; axis >= 0; axis--) {
    const extent = leading[axis] ?? 1;
    offset[axis] = (offset[axis] ?? 0) + (rest % extent);
    rest = Math.floor(rest / extent);
  }
  return { ...part, offset, size: [...leading.map(() => 1), part.size.at(-1) ?? 1] };
}
