// Gradients of biases, activations and norms, against the f64 rules and against the check of a run.

import { expect, test } from "vitest";
import type { Activation } from "../../src/kernels/activation.ts";
import { rowPitch, type StorageType } from "../../src/kernels/storage.ts";
import { activations } from "../../src/plan/activation.ts";
import { activationGradients } from "../../src/reference/backward/gated_activation.ts";
import { normGradients } from "../../src/reference/backward/norm_rows.ts";
import { biasGradient } from "../../src/reference/backward/product.ts";
import { matrix, type Matrix } from "../../src/reference/tensor.ts";
import { checkedRun } from "../support/checked_kernel.ts";
import { describeOnAdapter } from "../support/gpu.ts";
import { near } from "../support/near.ts";
import { output } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  type Tensor,
  tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const dtypes = ["f32", "f16"] as const;

const shapes = [
  [1, 1],
  [3, 5],
  [9, 33],
  [70, 258],
  [64, 64],
] as const;

const cases = [
  ...dtypes.flatMap((dtype) =>
    shapes.map(([rows, columns]) => ({ dtype, rows, columns, split: "own" as const })),
  ),
  { dtype: "f32", rows: 37, columns: 70, split: "as on GPUs" } as const,
];

function asMatrix({ rows, columns, values }: Tensor): Matrix {
  return matrix(rows, columns, values);
}

function valuesOf(
  results: Readonly<Record<string, ArrayBuffer>>,
  name: string,
  [rows, columns]: readonly [number, number],
  dtype: StorageType,
): Float64Array {
  return decode(output(results, name), rows, columns, dtype).values;
}

function sum(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value + (b[i] ?? Number.NaN));
}

describeOnAdapter("gradients", () => {
  test.each(cases)(
    "column sums of $dtype [$rows, $columns], split: $split",
    async ({ dtype, rows, columns, split }) => {
      const random = randomSource(rows + columns);
      const x = randomTensor(rows, columns, dtype, random);
      const before = randomTensor(1, columns, "f32", random);
      for (const accumulate of [false, true]) {
        const run = await checkedRun(
          {
            kernel: "column_sums",
            shape: { rows, columns, ...(accumulate ? { accumulate } : {}) },
          },
          dtype,
          { x: encode(x, dtype), ...(accumulate ? { y: encode(before, "f32") } : {}) },
          { y: tensorBytes(1, columns, "f32") },
          split,
        );
        const sums = biasGradient(asMatrix(x));
        const expected = near(accumulate ? sum(sums, before.values) : sums, rows, Math.sqrt(rows));
        const { results, worst, spoilt } = run;
        const actual = valuesOf(results, "y", [1, columns], "f32");
        expect(outOfTolerance(actual, expected, "f32")).toEqual([]);
        expect(worst).toBeLessThan(1);
        expect(await spoilt("y", columns - 1)).toBeGreaterThan(1);
      }
    },
  );

  test.each(dtypes)("of biases of experts in %s, each of its own rows", async (dtype) => {
    const [rows, columns] = [9, 10];
    const [x, before] = [
      randomTensor(rows, columns, dtype, randomSource(2)),
      randomTensor(3, columns, "f32", randomSource(3)),
    ];
    // Beyond the last expert's rows nothing counts.
    x.values.fill(Number.NaN, 7 * columns);
    const offsets = [0, 4, 4, 7];
    const run = await checkedRun(
      {
        kernel: "column_sums",
        shape: { rows, columns, accumulate: true, grouped: { experts: 3, expectedRows: 7 } },
      },
      dtype,
      { x: encode(x, dtype), offsets: encodeIds(offsets), y: encode(before, "f32") },
      { y: tensorBytes(3, columns, "f32") },
    );
    const expected = Float64Array.from(before.values, (held, i) => {
      const [expert, column] = [Math.floor(i / columns), i % columns];
      let total = held;
      for (let row = offsets[expert]!; row < offsets[expert + 1]!; row++) {
        total += x.values[row * columns + column]!;
      }
      return total;
    });
    const actual = valuesOf(run.results, "y", [3, columns], "f32");
    expect(outOfTolerance(actual, near(expected, 9), "f32")).toEqual([]);
    expect(run.worst).toBeLessThan(1);
    // Of an expert without rows.
    expect(await run.spoilt("y", rowPitch(columns))).toBeGreaterThan(1);
  });

  test.each(
    dtypes.flatMap((dtype) =>
      (["none", "softcap", "sigmoid", ...activations] satisfies Activation[]).map((activation) => ({
        dtype,
        activation,
      })),
    ),
  )("of $activation in $dtype, by itself and gated", async ({ dtype, activation }) => {
    const [rows, columns, cap] = [7, 13, 3];
    const random = randomSource(5);
    const wide = (): Tensor => {
      const { values } = randomTensor(rows, columns, dtype, random);
      return tensor(
        rows,
        columns,
        values.map((value, i) => value * 2 ** (i % 8)),
      );
    };
    const [dh, u, gate] = [randomTensor(rows, columns, dtype, random), wide(), wide()];
    const capped = activation === "softcap" ? { cap } : {};
    for (const gated of [false, true]) {
      const run = await checkedRun(
        {
          kernel: "activation_gradient",
          shape: { rows, columns, activation, ...capped, ...(gated ? { gate: gated } : {}) },
        },
        dtype,
        {
          dh: encode(dh, dtype),
          u: encode(u, dtype),
          ...(gated ? { gate: encode(gate, dtype) } : {}),
        },
        {
          du: tensorBytes(rows, columns, dtype),
          ...(gated ? { dgate: tensorBytes(rows, columns, dtype) } : {}),
        },
      );
      const expected = activationGradients(
        { activation, ...capped },
        dh.values,
        u.values,
        gated ? gate.values : undefined,
      );
      const { results, worst, spoilt } = run;
      const du = valuesOf(results, "du", [rows, columns], dtype);
      expect(outOfTolerance(du, near(expected.du, 4), dtype)).toEqual([]);
      expect(worst).toBeLessThan(1);
      expect(await spoilt("du", 0)).toBeGreaterThan(1);
      if (expected.dgate === undefined) continue;
      const dgate = valuesOf(results, "dgate", [rows, columns], dtype);
      expect(outOfTolerance(dgate, near(expected.dgate, 4), dtype)).toEqual([]);
    }
  });

  const norms = cases.flatMap((one) => [false, true].map((centered) => ({ ...one, centered })));

  test.each(norms)(
    "of a norm in $dtype [$rows, $columns], centered: $centered, split: $split",
    async ({ dtype, rows, columns, centered, split }) => {
      const random = randomSource(rows * columns);
      const x = randomTensor(rows, columns, dtype, random);
      const gain = randomTensor(1, columns, dtype, random);
      const dy = randomTensor(rows, columns, dtype, random);
      const residual = randomTensor(rows, columns, dtype, random);
      const epsilon = 1e-3;
      const expected = normGradients(asMatrix(x), gain.values, asMatrix(dy), { epsilon, centered });
      const largest = expected.dx.data.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
      const own = { rows, columns };
      const run = await checkedRun(
        {
          kernel: "norm_input_gradient",
          shape: { ...own, epsilon, residual: true, ...(centered ? { centered } : {}) },
        },
        dtype,
        {
          x: encode(x, dtype),
          gain: encode(gain, dtype),
          dy: encode(dy, dtype),
          residual: encode(residual, dtype),
        },
        { dx: tensorBytes(rows, columns, dtype), statistics: tensorBytes(rows, 4, "f32") },
        split,
      );
      const dx = valuesOf(run.results, "dx", [rows, columns], dtype);
      const sums = sum(expected.dx.data, residual.values);
      expect(outOfTolerance(dx, near(sums, columns, 2 * largest), dtype)).toEqual([]);
      expect(run.worst).toBeLessThan(1);
      expect(await run.spoilt("dx", 0)).toBeGreaterThan(1);
      expect(await run.spoilt("statistics", 1)).toBeGreaterThan(1);
      const statistics = new Uint8Array(output(run.results, "statistics"));
      const before = randomTensor(1, columns, "f32", random);
      const weights = await checkedRun(
        {
          kernel: "norm_weight_gradient",
          shape: { ...own, bias: true, accumulate: true },
        },
        dtype,
        {
          x: encode(x, dtype),
          dy: encode(dy, dtype),
          statistics,
          dgain: encode(before, "f32"),
          dbias: encode(before, "f32"),
        },
        { dgain: tensorBytes(1, columns, "f32"), dbias: tensorBytes(1, columns, "f32") },
        split,
      );
      for (const [name, rule] of [
        ["dgain", expected.dgain],
        ["dbias", expected.dbias],
      ] as const) {
        const actual = valuesOf(weights.results, name, [1, columns], "f32");
        const total = near(sum(rule, before.values), rows, 4 * Math.sqrt(rows));
        expect(outOfTolerance(actual, total, "f32")).toEqual([]);
        expect(await weights.spoilt(name, columns - 1)).toBeGreaterThan(1);
      }
      expect(weights.worst).toBeLessThan(1);
    },
  );
});
