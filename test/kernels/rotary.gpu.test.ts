import { describe, expect, test } from "vitest";
import { bindingsOf, type Kernel } from "../../src/kernels/kernel.ts";
import { meanSquares } from "../../src/kernels/mean_squares.ts";
import {
  finePositions,
  gainElements,
  rotary,
  rotationColumns,
  rotationRows,
  type RotaryShape,
} from "../../src/kernels/rotary.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import { rotationsOf } from "../../src/plan/layers/rotary.ts";
import { fillContent } from "../../src/program/content_values.ts";
import { hashSource } from "../../src/program/hash_source.ts";
import { turnHead, turnsAt } from "../../src/reference/rotary.ts";
import { asOnGpus } from "../support/kernel_variants.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { runMeanSquares, runRotary } from "../support/interpret_attention.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import { decode, encode, randomSource, randomTensor, tensorBytes } from "../support/tensors.ts";

/** An angle that every number of a head turns by differs from all others. */
const base = 300;

function tableBytes(sequence: number, dims: number): Uint8Array<ArrayBuffer> {
  const size = [rotationRows(sequence), rotationColumns(dims)];
  const { frequencies } = rotationsOf({ base, dims, interleaved: false }, sequence);
  return fillContent(
    {
      kind: "rotations",
      tensor: "rotations",
      shape: size,
      offset: [0, 0],
      size,
      fine: Math.min(sequence, finePositions),
      frequencies,
      magnitude: 1,
    },
    hashSource(0),
    "f32",
  );
}

/** Rows and columns of what the kernel reads in the storage type. */
function sizeOf(shape: RotaryShape, name: string): [number, number] {
  const { rows, columns, kvHeads, headDim, latent } = shape;
  if (name === "x") return [rows, columns];
  if (name === "dv") return [rows, kvHeads * (shape.back?.valueDim ?? 0)];
  if (name === "gains") return [1, gainElements(shape)];
  const { plainDim = 0, valueDim = 0, rank = 0 } = latent ?? {};
  return name === "kv"
    ? [rows, kvHeads * (plainDim + valueDim)]
    : [rows, rank + headDim - plainDim];
}

/** Largest error of the kernel, against f64 on the same operands. */
async function errorOf(
  kernel: Kernel<RotaryShape>,
  shape: RotaryShape,
  dtype: StorageType,
): Promise<number> {
  const { rows, sequence, heads, kvHeads, headDim, turn, back } = shape;
  const random = randomSource(rows + headDim);
  const inputs: Record<string, Uint8Array> = {};
  const operands: Float64Array[] = [];
  for (const { name, element, access } of bindingsOf(rotary, shape)) {
    if (access !== "read") continue;
    if (element === "storage") {
      const own = randomTensor(...sizeOf(shape, name), dtype, random);
      inputs[name] = encode(own, dtype);
      operands.push(own.values);
      continue;
    }
    const bytes =
      name === "rotations"
        ? tableBytes(sequence, turn?.dims ?? 0)
        : new Uint8Array(Float32Array.from({ length: 4 * rows }, (_, i) => 0.1 + (i % 7)).buffer);
    inputs[name] = bytes;
    operands.push(Float64Array.from(new Float32Array(bytes.buffer)));
  }
  const columns = (heads + kvHeads) * headDim + kvHeads * (back?.valueDim ?? 0);
  const expected = new Float64Array(rows * columns);
  runRotary(shape, [...operands, expected]);
  const results = await runKernel(await testGpu(), kernel, shape, dtype, inputs, {
    y: tensorBytes(rows, columns, dtype),
  });
  const { values } = decode(output(results, "y"), rows, columns, dtype);
  return Math.max(...values.map((value, i) => Math.abs(value - (expected[i] ?? Number.NaN))));
}

function headsOf(rows: number, sequence: number, count: number, kvHeads: number, headDim: number) {
  return {
    rows,
    sequence,
    heads: count,
    kvHeads,
    headDim,
    columns: (count + 2 * kvHeads) * headDim,
  };
}

const cases: readonly (readonly [string, RotaryShape])[] = [
  [
    "one token, smallest head",
    { ...headsOf(1, 1, 1, 1, 4), turn: { first: 0, dims: 4, interleaved: true } },
  ],
  [
    "halves in quads",
    { ...headsOf(14, 7, 3, 1, 24), turn: { first: 0, dims: 24, interleaved: false } },
  ],
  [
    "part of a head",
    { ...headsOf(10, 5, 4, 2, 20), turn: { first: 0, dims: 8, interleaved: false } },
  ],
  [
    "halves that fill no quads",
    { ...headsOf(9, 3, 2, 2, 16), turn: { first: 0, dims: 14, interleaved: false } },
  ],
  [
    "neighbors, half a quad left",
    { ...headsOf(9, 9, 2, 1, 12), turn: { first: 0, dims: 10, interleaved: true } },
  ],
  [
    "past the fine positions",
    { ...headsOf(300, 300, 1, 1, 8), turn: { first: 0, dims: 8, interleaved: false } },
  ],
  [
    "back, with gradients of values",
    {
      ...headsOf(14, 7, 3, 2, 24),
      columns: 5 * 24,
      turn: { first: 4, dims: 16, interleaved: false },
      back: { valueDim: 8 },
    },
  ],
  [
    "back, past the fine positions",
    {
      ...headsOf(300, 300, 1, 1, 8),
      columns: 16,
      turn: { first: 0, dims: 8, interleaved: true },
      back: { valueDim: 12 },
    },
  ],
  [
    "queries that grow, no positions",
    { ...headsOf(14, 7, 3, 1, 12), temperature: { scale: 0.5, interval: 3, offset: 1 } },
  ],
  [
    "queries that grow, turned back",
    {
      ...headsOf(14, 7, 3, 2, 24),
      columns: 5 * 24,
      turn: { first: 4, dims: 16, interleaved: false },
      temperature: { scale: 0.1, interval: 2, offset: 0 },
      back: { valueDim: 8 },
    },
  ],
  [
    "norms of heads, whole groups of lanes",
    {
      ...headsOf(65, 13, 5, 3, 64),
      turn: { first: 0, dims: 64, interleaved: false },
      norm: { kind: "head", epsilon: 1e-6 },
    },
  ],
  [
    "layer norms of heads, no positions",
    { ...headsOf(7, 7, 3, 1, 20), norm: { kind: "each-head", epsilon: 1e-5 } },
  ],
  [
    "norms without weights",
    {
      ...headsOf(7, 7, 3, 1, 8),
      turn: { first: 0, dims: 8, interleaved: true },
      norm: { kind: "unweighted", epsilon: 1e-5 },
    },
  ],
  [
    "norms by given squares",
    {
      ...headsOf(6, 3, 4, 2, 12),
      turn: { first: 0, dims: 12, interleaved: false },
      norm: { kind: "all-heads", epsilon: 1e-5 },
    },
  ],
  [
    "latent heads",
    {
      ...headsOf(10, 5, 3, 3, 20),
      columns: 60,
      latent: { plainDim: 12, valueDim: 8, rank: 16 },
      turn: { first: 12, dims: 8, interleaved: false },
    },
  ],
  [
    "latent heads of neighbors",
    {
      ...headsOf(10, 5, 2, 2, 14 + 2),
      columns: 32,
      latent: { plainDim: 12, valueDim: 4, rank: 8 },
      turn: { first: 12, dims: 4, interleaved: true },
    },
  ],
];

// Numbers of up to 2, or with norms of heads and the least mean square given up to 6, and a few roundings of them.
const tolerances = { f32: 2 ** -20, f16: 2 ** -8 } as const;

describeOnAdapter("rotary", () => {
  describe.each(["f32", "f16"] as const)("in %s", (dtype) => {
    test.each(cases)("%s", async (_, shape) => {
      expect(await errorOf(rotary, shape, dtype)).toBeLessThan(tolerances[dtype]);
    });
    test.each(cases.slice(5, 10))("as on a GPU, %s", async (_, shape) => {
      expect(await errorOf(asOnGpus(rotary, shape), shape, dtype)).toBeLessThan(tolerances[dtype]);
    });
  });

  test("at position 131,071 angles are as exact as at the first", async () => {
    const sequence = 131_072;
    const shape: RotaryShape = {
      ...headsOf(sequence, sequence, 1, 1, 4),
      turn: { first: 0, dims: 4, interleaved: true },
    };
    const rotations = { frequencies: [1, base ** -0.5], magnitude: 1 };
    const x = Float32Array.from({ length: sequence * 12 }, (_, i) => 1 - (i % 3) / 2);
    const results = await runKernel(
      await testGpu(),
      rotary,
      shape,
      "f32",
      { x: new Uint8Array(x.buffer), rotations: tableBytes(sequence, 4) },
      { y: sequence * 8 * 4 },
    );
    const y = new Float32Array(output(results, "y"));
    let worst = 0;
    for (const position of [0, 1, 255, 256, 257, 65_535, 131_071]) {
      const head = Float64Array.from(x.subarray(position * 12, position * 12 + 4));
      turnHead(head, { first: 0, dims: 4, interleaved: true }, turnsAt(rotations, position));
      for (const [i, value] of head.entries()) {
        worst = Math.max(worst, Math.abs(value - (y[position * 8 + i] ?? Number.NaN)));
      }
    }
    // Products of f32 would be off by 131,071 · 2^-24 = 0.008.
    expect(worst).toBeLessThan(2 ** -21);
  });
});

describeOnAdapter("mean_squares", () => {
  test.each(["f32", "f16"] as const)("in %s: queries and keys by themselves", async (dtype) => {
    const shape = { rows: 7, columns: 48, queryColumns: 28, keyColumns: 12, ranks: 3 };
    const x = randomTensor(7, 48, dtype, randomSource(1));
    const expected = new Float64Array(28);
    runMeanSquares(shape, [x.values, expected]);
    for (const kernel of [meanSquares, asOnGpus(meanSquares, shape)]) {
      const results = await runKernel(
        await testGpu(),
        kernel,
        shape,
        dtype,
        { x: encode(x, dtype) },
        { y: 7 * 16 },
      );
      const y = new Float32Array(output(results, "y"));
      for (const [i, value] of expected.entries()) expect(y[i]).toBeCloseTo(value, 6);
    }
  });
});
