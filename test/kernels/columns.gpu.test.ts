import { expect, test } from "vitest";
import { gatherColumns } from "../../src/kernels/gather_columns.ts";
import { sliceColumns } from "../../src/kernels/slice_columns.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import { decode, encode, randomSource, randomTensor, tensorBytes } from "../support/tensors.ts";

const dtypes = ["f32", "f16"] as const;

describeOnAdapter("column kernels", () => {
  test.each(
    dtypes.flatMap((dtype) =>
      [
        [1, 1, 1],
        [5, 3, 7],
        [3, 2, 8],
        [4, 2, 6],
        [9, 5, 1],
        [65, 1, 5],
      ].map(([rows = 0, pieces = 0, pieceColumns = 0]) => ({ dtype, rows, pieces, pieceColumns })),
    ),
  )(
    "gather_columns, $dtype, $pieces pieces of [$rows, $pieceColumns]",
    async ({ dtype, rows, pieces, pieceColumns }) => {
      const x = randomTensor(pieces * rows, pieceColumns, dtype, randomSource(rows));
      const results = await runKernel(
        await testGpu(),
        gatherColumns,
        { rows, pieces, pieceColumns },
        dtype,
        { x: encode(x, dtype) },
        { y: tensorBytes(rows, pieces * pieceColumns, dtype) },
      );
      const actual = decode(output(results, "y"), rows, pieces * pieceColumns, dtype).values;
      const columns = pieces * pieceColumns;
      const expected = Array.from({ length: rows * columns }, (_, i) => {
        const [row, column] = [Math.floor(i / columns), i % columns];
        const sourceRow = Math.floor(column / pieceColumns) * rows + row;
        return x.values[sourceRow * pieceColumns + (column % pieceColumns)];
      });
      expect([...actual]).toEqual(expected);
    },
  );

  test.each(
    dtypes.flatMap((dtype) =>
      [
        [1, 1, 0, 1],
        [5, 13, 3, 7],
        [3, 16, 8, 8],
        [4, 16, 4, 6],
        [4, 12, 6, 4],
        [9, 10, 9, 1],
      ].map(([rows = 0, inputColumns = 0, offset = 0, columns = 0]) => ({
        dtype,
        rows,
        inputColumns,
        offset,
        columns,
      })),
    ),
  )(
    "slice_columns, $dtype, columns from $offset on, $columns of $inputColumns",
    async ({ dtype, rows, inputColumns, offset, columns }) => {
      const x = randomTensor(rows, inputColumns, dtype, randomSource(columns));
      const results = await runKernel(
        await testGpu(),
        sliceColumns,
        { rows, inputColumns, offset, columns },
        dtype,
        { x: encode(x, dtype) },
        { y: tensorBytes(rows, columns, dtype) },
      );
      const expected = Array.from(
        { length: rows * columns },
        (_, i) => x.values[Math.floor(i / columns) * inputColumns + offset + (i % columns)],
      );
      expect([...decode(output(results, "y"), rows, columns, dtype).values]).toEqual(expected);
    },
  );
});
