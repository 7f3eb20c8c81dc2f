// Gradients of heads before they were normalized, or made of latents, and of sinks.

import { expect, test } from "vitest";
import type { NormedHeadsShape } from "../../src/kernels/head_norm_gradient.ts";
import { headGainElements } from "../../src/kernels/head_norm_gradient.ts";
import { latentColumns } from "../../src/kernels/latent_gradient.ts";
import { describeOnAdapter } from "../support/gpu.ts";
import { gradientFaults } from "../support/judged_gradient.ts";

const kinds = ["head", "each-head", "all-heads", "unweighted"] as const;
const splits = ["own", "as on GPUs"] as const;

const least = { rows: 1, heads: 1, kvHeads: 1, headDim: 4, columns: 12 };
const middle = { rows: 10, heads: 3, kvHeads: 2, headDim: 12, columns: 68 };
const widest = { rows: 70, heads: 4, kvHeads: 1, headDim: 64, columns: 384 };

/** All that norms may be of, in each type; the least and the widest heads. */
const cases = [
  ...kinds.flatMap((kind) => [
    { ...middle, kind, dtype: "f32", split: "own" } as const,
    { ...middle, kind, dtype: "f16", split: "own" } as const,
  ]),
  { ...middle, kind: "each-head", dtype: "f32", split: "as on GPUs" } as const,
  { ...middle, kind: "all-heads", dtype: "f32", split: "as on GPUs" } as const,
  { ...least, kind: "each-head", dtype: "f32", split: "own" } as const,
  { ...widest, kind: "head", dtype: "f32", split: "own" } as const,
];

function drawn(length: number, from: number, to: number): Float64Array {
  return Float64Array.from({ length }, (_, i) =>
    Math.fround(from + ((to - from) * ((i * 37) % 101)) / 101),
  );
}

describeOnAdapter("gradients of heads", () => {
  test.each(cases)(
    "$kind norms in $dtype: [$rows, $columns] of $heads and $kvHeads heads of $headDim, split: $split",
    async ({ kind, dtype, split, ...sizes }) => {
      const shape: NormedHeadsShape = { ...sizes, norm: { kind, epsilon: 1e-3 } };
      const { rows, columns, heads, kvHeads, headDim } = shape;
      const given = {
        squares: drawn(4 * rows, 0.2, 0.5),
        products: drawn(4 * rows, -0.1, 0.1),
      };
      const packed = [rows, columns] as const;
      const tables = {
        x: packed,
        dy: packed,
        dx: packed,
        gains: [1, headGainElements(shape)],
        squares: [rows, 4],
        products: [rows, 4],
        statistics: [1, 2 * rows * (heads + kvHeads)],
        dgains: [1, headGainElements(shape)],
      } as const;
      const judged = { dtype, split, terms: 8 * headDim, given };
      expect(await gradientFaults({ kernel: "head_norm_gradient", shape }, tables, judged)).toEqual(
        [],
      );
      if (kind === "unweighted") return;
      const statistics = drawn(2 * rows * (heads + kvHeads), 0.1, 1.5);
      for (const accumulate of [undefined, true] as const) {
        expect(
          await gradientFaults(
            {
              kernel: "head_gain_gradient",
              shape: { ...shape, ...(accumulate === undefined ? {} : { accumulate }) },
            },
            tables,
            { ...judged, terms: 4 * rows * heads, given: { statistics } },
          ),
        ).toEqual([]);
      }
    },
  );

  test.each(["f32", "f16"] as const)("means of products in %s", async (dtype) => {
    const sizes = { rows: 7, columns: 48, queryColumns: 28, keyColumns: 12 };
    expect(
      await gradientFaults(
        { kernel: "mean_squares", shape: { ...sizes, ranks: 3, gradient: true } },
        { x: [7, 48], dy: [7, 48], gains: [1, 40], y: [7, 4] },
        { dtype, terms: 28 },
      ),
    ).toEqual([]);
  });

  test.each(
    (["f32", "f16"] as const).flatMap((dtype) =>
      [{ rows: 37, heads: 5, headDim: 20, plainDim: 12, valueDim: 8, rank: 16 }].flatMap((shape) =>
        splits.map((split) => ({ ...shape, dtype, split })),
      ),
    ),
  )(
    "latent heads in $dtype, [$rows] of $heads, split: $split",
    async ({ dtype, split, ...shape }) => {
      const { rows } = shape;
      const { packed, q, kv, down } = latentColumns(shape);
      expect(
        await gradientFaults(
          { kernel: "latent_gradient", shape },
          { dheads: [rows, packed], dq: [rows, q], dkv: [rows, kv], ddown: [rows, down] },
          { dtype, split, terms: shape.heads },
        ),
      ).toEqual([]);
    },
  );

  test.each(
    [
      { rows: 1, heads: 1 },
      { rows: 67, heads: 5 },
    ].flatMap((shape) => splits.map((split) => ({ ...shape, split }))),
  )("$heads sinks of $rows queries, split: $split", async ({ split, rows, heads }) => {
    // Logarithms to base 2 of sums that the sinks are a part of, and products.
    const statistics = drawn(2 * rows * heads, -1, 1).map((value, i) =>
      i % 2 === 0 ? Math.fround(2 + value) : value,
    );
    expect(
      await gradientFaults(
        { kernel: "sink_gradient", shape: { rows, heads } },
        { statistics: [1, 2 * rows * heads], sinks: [1, heads], dsinks: [1, heads] },
        { dtype: "f32", split, terms: 4 * rows, given: { statistics } },
      ),
    ).toEqual([]);
  });
});
