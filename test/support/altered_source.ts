// Contents whose values are others than a source gives.

import {
  asThree,
  type ContentSource,
  regionColumns,
  rowPlace,
} from "../../src/program/content_source.ts";

/** @param valueAt of a tensor's element, by its index in the whole tensor and what the source gives */
export function alteredSource(
  source: ContentSource,
  valueAt: (tensor: string, index: number, value: number) => number,
): ContentSource {
  return {
    seedOf: () => undefined,
    values(content, first, rows) {
      const values = source.values(content, first, rows);
      const columns = regionColumns(content);
      const [, allRows, allColumns] = asThree(content.shape, 1);
      const [, , firstColumn] = asThree(content.offset, 0);
      for (let row = 0; row < rows; row++) {
        const [depth, inner] = rowPlace(content, first + row);
        const start = (depth * allRows + inner) * allColumns + firstColumn;
        for (let column = 0; column < columns; column++) {
          const at = row * columns + column;
          values[at] = valueAt(content.tensor, start + column, values[at]!);
        }
      }
      return values;
    },
  };
}
