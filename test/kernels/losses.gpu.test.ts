// Losses and the gradients of what they are taken of, against the f64 rules, slopes and the check of a run.

import { expect, test } from "vitest";
import type { StorageType } from "../../src/kernels/storage.ts";
import { crossEntropy, squaredError } from "../../src/reference/backward/losses.ts";
import { mapValues, matrix, type Matrix, rowOf } from "../../src/reference/tensor.ts";
import { checkedRun } from "../support/checked_kernel.ts";
import { centralDifference, gradientError } from "../support/finite_difference.ts";
import { describeOnAdapter } from "../support/gpu.ts";
import { near } from "../support/near.ts";
import { output } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  rounded,
  tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

type Split = "own" | "as on GPUs";

const shapes = [
  [1, 1],
  [3, 5],
  [9, 33],
  [70, 258],
  [64, 64],
] as const;

const cases = [
  ...(["f32", "f16"] as const).flatMap((dtype) =>
    shapes.map(([rows, columns]) => ({ dtype, rows, columns, split: "own" as const })),
  ),
  { dtype: "f32", rows: 37, columns: 70, split: "as on GPUs" } as const,
];

function randomLogits(
  [rows, columns]: readonly [number, number],
  size: number,
  dtype: StorageType,
): Matrix {
  const { values } = randomTensor(rows, columns, dtype, randomSource(rows + columns));
  return matrix(
    rows,
    columns,
    values.map((value) => rounded(size * value, dtype)),
  );
}

function labelsOf({ rows, columns }: Matrix): number[] {
  const random = randomSource(rows * columns);
  const labels = Array.from({ length: rows }, () => Math.floor(random() * columns));
  return labels.with(0, columns - 1).with(rows - 1, 0);
}

function columnsOf(x: Matrix, first: number, count: number): Matrix {
  const part = matrix(x.rows, count);
  for (let row = 0; row < x.rows; row++) {
    rowOf(part, row).set(rowOf(x, row).subarray(first, first + count));
  }
  return part;
}

function bytesOf({ rows, columns, data }: Matrix, dtype: StorageType): Uint8Array {
  return encode(tensor(rows, columns, data), dtype);
}

function lossesOf(logits: Matrix, labels: readonly number[]): Float64Array {
  return Float64Array.from(
    labels,
    (label, row) => crossEntropy(matrix(1, logits.columns, rowOf(logits, row)), [label]).loss,
  );
}

interface Block {
  readonly firstColumn: number;
  readonly logits: Matrix;
}

/** Of about equally many columns. */
function blocksOf(logits: Matrix, count: number): Block[] {
  const width = Math.ceil(logits.columns / count);
  return Array.from({ length: Math.ceil(logits.columns / width) }, (_, i) => ({
    firstColumn: i * width,
    logits: columnsOf(logits, i * width, Math.min(width, logits.columns - i * width)),
  }));
}

interface CrossEntropyRun {
  readonly losses: Float64Array;
  readonly gradient: Matrix;
  /** Largest error of all kernels in shares of what their checks accept. */
  readonly worst: number;
  /** The same with one word of one result wrong; the smallest of all that were tried. */
  readonly leastSpoilt: number;
}

/** As ranks run it that hold a block of columns each. */
async function runCrossEntropy(
  logits: Matrix,
  labels: readonly number[],
  blocks: readonly Block[],
  scale: number,
  dtype: StorageType,
  split: Split = "own",
): Promise<CrossEntropyRun> {
  const { rows } = logits;
  const [worst, spoilt]: [number[], number[]] = [[], []];
  const parts: Uint8Array[] = [];
  for (const { firstColumn, logits: own } of blocks) {
    const run = await checkedRun(
      { kernel: "loss_statistics", shape: { rows, columns: own.columns, firstColumn } },
      dtype,
      { x: bytesOf(own, dtype), labels: encodeIds(labels) },
      { statistics: 16 * rows },
      split,
    );
    worst.push(run.worst);
    for (let word = 0; word < 4; word++) {
      spoilt.push(await run.spoilt("statistics", 4 * (rows - 1) + word));
    }
    parts.push(new Uint8Array(output(run.results, "statistics")));
  }
  const statistics = new Uint8Array(Buffer.concat(parts));
  const loss = await checkedRun(
    { kernel: "cross_entropy", shape: { rows, blocks: blocks.length } },
    dtype,
    { statistics },
    { losses: tensorBytes(1, rows, "f32") },
    split,
  );
  worst.push(loss.worst);
  spoilt.push(await loss.spoilt("losses", 0), await loss.spoilt("losses", rows - 1));
  if (rows % 4 > 0) spoilt.push(await loss.spoilt("losses", rows));
  const gradient = matrix(rows, logits.columns);
  for (const { firstColumn, logits: own } of blocks) {
    const { columns } = own;
    const shape = { rows, columns, firstColumn, blocks: blocks.length, scale };
    const run = await checkedRun(
      { kernel: "cross_entropy_gradient", shape },
      dtype,
      { logits: bytesOf(own, dtype), labels: encodeIds(labels), statistics },
      { dx: tensorBytes(rows, columns, dtype) },
      split,
    );
    worst.push(run.worst);
    spoilt.push(await run.spoilt("dx", 0));
    const { values } = decode(output(run.results, "dx"), rows, columns, dtype);
    const part = matrix(rows, columns, values);
    for (let row = 0; row < rows; row++) rowOf(gradient, row).set(rowOf(part, row), firstColumn);
  }
  return {
    losses: decode(output(loss.results, "losses"), 1, rows, "f32").values,
    gradient,
    worst: Math.max(...worst),
    leastSpoilt: Math.min(...spoilt),
  };
}

describeOnAdapter("losses", () => {
  test.each(cases.flatMap((one) => [1, 3].map((count) => ({ ...one, count }))))(
    "cross-entropy in $dtype of [$rows, $columns] in $count blocks, split: $split",
    async ({ dtype, rows, columns, split, count }) => {
      const logits = randomLogits([rows, columns], 80, dtype);
      const labels = labelsOf(logits);
      const scale = 1 / (3 * rows);
      const blocks = blocksOf(logits, count);
      const run = await runCrossEntropy(logits, labels, blocks, scale, dtype, split);
      const losses = near(lossesOf(logits, labels), 4, 160);
      expect(outOfTolerance(run.losses, losses, "f32")).toEqual([]);
      const { gradient } = crossEntropy(logits, labels);
      const expected = mapValues(gradient, (value) => scale * value).data;
      expect(outOfTolerance(run.gradient.data, near(expected, columns, scale), dtype)).toEqual([]);
      expect(run.worst).toBeLessThan(1);
      expect(run.leastSpoilt).toBeGreaterThan(1);
    },
  );

  test("logits that rise and fall by hundreds, where exponentials of all but one are nothing", async () => {
    const logits = matrix(2, 70);
    for (let c = 0; c < 70; c++) {
      rowOf(logits, 0)[c] = 1e4 + 100 * c;
      rowOf(logits, 1)[c] = -300 * c;
    }
    const labels = [69, 69];
    const run = await runCrossEntropy(logits, labels, blocksOf(logits, 2), 1, "f32");
    expect([...run.losses]).toEqual([0, 300 * 69]);
    const { gradient } = crossEntropy(logits, labels);
    expect(outOfTolerance(run.gradient.data, near(gradient.data, 1, 1e-6), "f32")).toEqual([]);
    expect(run.worst).toBeLessThan(1);
  });

  test("the gradient of cross-entropy is its slope, and equal runs give equal bits", async () => {
    const logits = randomLogits([3, 7], 4, "f32");
    const labels = labelsOf(logits);
    const runs = [];
    for (let i = 0; i < 2; i++) {
      runs.push(await runCrossEntropy(logits, labels, blocksOf(logits, 2), 1, "f32"));
    }
    const [run, again] = runs;
    const slopes = centralDifference(
      (x) => crossEntropy(matrix(3, 7, x), labels).loss,
      logits.data,
    );
    expect(gradientError(run!.gradient.data, slopes)).toBeLessThan(2e-6);
    expect(again).toEqual(run);
  });

  test.each(cases)(
    "squared error in $dtype of [$rows, $columns], split: $split",
    async ({ dtype, rows, columns, split }) => {
      const random = randomSource(rows * columns);
      const [x, targets] = [
        randomTensor(rows, columns, dtype, random),
        randomTensor(rows, columns, dtype, random),
      ];
      const inputs = { x: encode(x, dtype), targets: encode(targets, dtype) };
      const loss = await checkedRun(
        { kernel: "squared_error", shape: { rows, columns } },
        dtype,
        inputs,
        { losses: tensorBytes(1, rows, "f32") },
        split,
      );
      const of = (values: Float64Array, row: number): Matrix =>
        matrix(1, columns, values.slice(row * columns, (row + 1) * columns));
      const expected = Float64Array.from(
        { length: rows },
        (_, row) => squaredError(of(x.values, row), of(targets.values, row)).loss,
      );
      const losses = decode(output(loss.results, "losses"), 1, rows, "f32").values;
      expect(outOfTolerance(losses, near(expected, columns), "f32")).toEqual([]);
      expect(loss.worst).toBeLessThan(1);
      for (const word of [rows - 1, ...(rows % 4 > 0 ? [rows] : [])]) {
        expect(await loss.spoilt("losses", word)).toBeGreaterThan(1);
      }

      const scale = 1 / (3 * rows * columns);
      const slope = await checkedRun(
        { kernel: "squared_error_gradient", shape: { rows, columns, scale } },
        dtype,
        inputs,
        { dx: tensorBytes(rows, columns, dtype) },
        split,
      );
      const y = matrix(rows, columns, x.values);
      const { gradient } = squaredError(y, matrix(rows, columns, targets.values));
      const scaled = mapValues(gradient, (value) => scale * value).data;
      const dx = decode(output(slope.results, "dx"), rows, columns, dtype).values;
      expect(outOfTolerance(dx, near(scaled, 1), dtype)).toEqual([]);
      expect(slope.worst).toBeLessThan(1);
      expect(await slope.spoilt("dx", 0)).toBeGreaterThan(1);
    },
  );

  test("the gradient of the squared error is its slope", async () => {
    const random = randomSource(3);
    const [x, targets] = [randomTensor(3, 7, "f32", random), randomTensor(3, 7, "f32", random)];
    const run = await checkedRun(
      { kernel: "squared_error_gradient", shape: { rows: 3, columns: 7, scale: 1 } },
      "f32",
      { x: encode(x, "f32"), targets: encode(targets, "f32") },
      { dx: tensorBytes(3, 7, "f32") },
    );
    const slopes = centralDifference(
      (values) => squaredError(matrix(3, 7, values), matrix(3, 7, targets.values)).loss,
      x.values,
    );
    const dx = decode(output(run.results, "dx"), 3, 7, "f32").values;
    expect(gradientError(dx, slopes)).toBeLessThan(2e-6);
  });
});
