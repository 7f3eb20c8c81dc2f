// Tables of rotations follow from the plan alone: no source gives them.

import type { RotationContent } from "./content.ts";
import { regionColumns, rowPlace } from "./content_source.ts";

/** Rows [first, first + rows) of the region, row-major. */
export function rotationValues(
  content: RotationContent,
  first: number,
  rows: number,
): Float64Array {
  const columns = regionColumns(content);
  const column0 = content.offset.at(-1) ?? 0;
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [, row] = rowPlace(content, first + Math.floor(i / columns));
    return Math.fround(rotationAt(content, row, column0 + (i % columns)));
  });
}

function rotationAt(
  { fine, frequencies, magnitude }: RotationContent,
  row: number,
  column: number,
): number {
  const frequency = frequencies[4 * Math.floor(column / 8) + (column % 4)];
  const isSine = column % 8 >= 4;
  if (frequency === undefined) return isSine ? 0 : 1;
  const angle = frequency * (row < fine ? row : (row - fine) * fine);
  return (row < fine ? magnitude : 1) * (isSine ? Math.sin(angle) : Math.cos(angle));
}
