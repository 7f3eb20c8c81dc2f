// Gradients of rows that had a gate, that became one, or that a table of positions was added to; and columns that are put back.

import { expect, test } from "vitest";
import { squareSums } from "../../src/kernels/sum_squares.ts";
import { describeOnAdapter } from "../support/gpu.ts";
import { gradientFaults } from "../support/judged_gradient.ts";

const dtypes = ["f32", "f16"] as const;
const splits = ["own", "as on GPUs"] as const;

const cases = [
  { dtype: "f32", rows: 1, columns: 1, split: "own" },
  { dtype: "f32", rows: 72, columns: 258, split: "own" },
  { dtype: "f32", rows: 6, columns: 5, split: "as on GPUs" },
  { dtype: "f16", rows: 6, columns: 5, split: "own" },
] as const;

describeOnAdapter("gradients of rows", () => {
  test.each(cases)(
    "a gate of each row in $dtype [$rows, $columns], split: $split",
    async ({ dtype, rows, columns, split }) => {
      const table = [rows, columns] as const;
      // Also of gates that are all but open or shut.
      const gate = Float64Array.from({ length: rows }, (_, row) => [0.5, -90, 90, -7, 6][row % 5]!);
      expect(
        await gradientFaults(
          { kernel: "row_gate_gradient", shape: { rows, columns } },
          { y: table, dy: table, dp: table, gate: [rows, 1], dgate: [rows, 1] },
          { dtype, split, terms: columns, given: { gate } },
        ),
      ).toEqual([]);
    },
  );

  test.each(cases)(
    "rows that became one in $dtype [$rows, $columns], split: $split",
    async ({ dtype, rows, columns, split }) => {
      const group = rows % 3 === 0 ? 3 : 1;
      expect(
        await gradientFaults(
          { kernel: "spread_rows", shape: { rows, columns, group, scale: 1 / 3 } },
          { x: [rows / group, columns], y: [rows, columns] },
          { dtype, split, terms: 1 },
        ),
      ).toEqual([]);
    },
  );

  test.each(cases)(
    "positions in $dtype [$rows, $columns], split: $split",
    async ({ dtype, rows, columns: hidden, split }) => {
      const batch = rows % 3 === 0 ? 3 : 1;
      const sequence = rows / batch;
      // The last row of the table is no token's.
      expect(
        await gradientFaults(
          { kernel: "position_gradient", shape: { batch, sequence, hidden, first: 2 } },
          { dy: [rows, hidden], dtable: [sequence + 3, hidden] },
          { dtype, split, terms: batch + 1 },
        ),
      ).toEqual([]);
    },
  );

  test("the first columns of a norm's input", async () => {
    for (const dtype of dtypes) {
      const shape = { rows: 9, columns: 20, inputColumns: 28, epsilon: 1e-3 } as const;
      const [wide, table] = [[9, 28] as const, [9, 20] as const];
      for (const residual of [undefined, true] as const) {
        expect(
          await gradientFaults(
            {
              kernel: "norm_input_gradient",
              shape: { ...shape, ...(residual === undefined ? {} : { residual }) },
            },
            { x: wide, gain: [1, 20], dy: table, residual: wide, dx: wide, statistics: [9, 4] },
            { dtype, terms: 40 },
          ),
        ).toEqual([]);
      }
      expect(
        await gradientFaults(
          { kernel: "norm_weight_gradient", shape },
          { x: wide, dy: table, statistics: [9, 4], dgain: [1, 20] },
          { dtype, terms: 40 },
        ),
      ).toEqual([]);
    }
  });

  test.each(splits)("columns that are put back, split: %s", async (split) => {
    expect(
      await gradientFaults(
        {
          kernel: "put_columns",
          shape: { rows: 5, columns: 8, outputColumns: 20, offset: 12 },
        },
        { x: [5, 8], y: [5, 20] },
        { dtype: "f32", split, terms: 1 },
      ),
    ).toEqual([]);
  });

  test.each(splits)("squares of the first columns alone, split: %s", async (split) => {
    expect(
      await gradientFaults(
        {
          kernel: "sum_squares",
          shape: { elements: 9 * 20, counted: { columns: 12, pitch: 20 } },
        },
        { x: [9, 20], sums: [1, squareSums] },
        { dtype: "f32", split, terms: 9 * 12 },
      ),
    ).toEqual([]);
  });
});
