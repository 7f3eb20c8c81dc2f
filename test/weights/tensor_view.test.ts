// Views of stored tensors, element by element: packed and transposed ones, over windows that are smaller than they are,
// and beyond what 32 bits count.

import { mkdtemp, open, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { SourcedContent } from "../../src/program/content_source.ts";
import { openCheckpoint } from "../../src/weights/checkpoint.ts";
import { createFileWindows } from "../../src/weights/file_windows.ts";
import { openGiven } from "../../src/weights/given_source.ts";
import { axis, readView, type TensorView } from "../../src/weights/tensor_view.ts";

const folder = await mkdtemp(join(tmpdir(), "shardbench-view-"));

const count = 24_000;
const file = join(folder, "values");
await writeFile(
  file,
  Float32Array.from({ length: count }, (_, i) => i + 0.5),
);

/** Of whole tensors [planes, rows, columns], plane and row by index. */
const region = (
  shape: readonly number[],
  offset: readonly number[],
  size: readonly number[],
): SourcedContent => ({ kind: "uniform", tensor: "w", center: 0, scale: 1, shape, offset, size });

/** [2, 60, 200] in a tensor that is stored in one of several orders, rows of heads of 15 apart from each other. */
const views: readonly [string, readonly number[], readonly number[]][] = [
  ["as it is", [12_000], [200, 1]],
  ["transposed", [12_000], [1, 60]],
  ["experts turn by turn", [1], [400, 2]],
];

test.each(views)("any part of a tensor stored %s is read", (_, planes, [row = 0, column = 0]) => {
  const [plane = 0] = planes;
  const view: TensorView = {
    stored: [{ file: 0, type: "F32", offset: 0 }],
    start: 0,
    axes: [axis(2, plane), { extents: [4, 15], strides: [15 * row, row] }, axis(200, column)],
  };
  // The least that can be mapped: 1,024 values.
  const files = [createFileWindows(file, 4 * count, 4096)];
  const within = (extent: number) =>
    fc
      .tuple(fc.nat(extent - 1), fc.nat(extent - 1))
      .map(([a, b]) => [Math.min(a, b), Math.abs(a - b) + 1] as const);
  fc.assert(
    fc.property(within(2), within(60), within(200), fc.nat(), fc.nat(), (p, r, c, a, b) => {
      const part = region([2, 60, 200], [p[0], r[0], c[0]], [p[1], r[1], c[1]]);
      const all = p[1] * r[1];
      const first = a % all;
      const rows = 1 + (b % (all - first));
      const found = readView(view, files, part, first, rows);
      const expected = Array.from({ length: rows * c[1] }, (_value, i) => {
        const at = first + Math.floor(i / c[1]);
        const [own, inner] = [p[0] + Math.floor(at / r[1]), r[0] + (at % r[1])];
        return own * plane + inner * row + (c[0] + (i % c[1])) * column + 0.5;
      });
      expect([...found]).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

test("control: a region that exceeds its tensor is a mistake", () => {
  const view: TensorView = {
    stored: [{ file: 0, type: "F32", offset: 0 }],
    start: 0,
    axes: [axis(2, 4), axis(2, 2), axis(2, 1)],
  };
  const files = [createFileWindows(file, 4 * count)];
  expect(() => readView(view, files, region([2, 2, 2], [1, 0, 0], [2, 2, 2]), 2, 1)).toThrow(
    /exceeds/,
  );
});

test("a tensor beyond 4 GB of a file is read where it is", async () => {
  const path = join(folder, "large", "model.safetensors");
  const { mkdir } = await import("node:fs/promises");
  await mkdir(join(folder, "large"));
  const before = 5 * 2 ** 30;
  const entries = {
    bytes: { dtype: "U8", shape: [before], data_offsets: [0, before] },
    w: { dtype: "F32", shape: [3], data_offsets: [before, before + 12] },
  };
  const header = Buffer.from(JSON.stringify(entries).padEnd(184));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const handle = await open(path, "w");
  await handle.write(Buffer.concat([length, header]), 0, 192, 0);
  // What lies between takes no room on the disk.
  await handle.write(Float32Array.of(1, 2, 3), 0, 12, 192 + before);
  await handle.close();
  const { files, tensors } = await openCheckpoint(join(folder, "large"));
  const { offset = 0 } = tensors.get("w") ?? {};
  const stored = [{ file: 0, type: "F32", offset }] as const;
  const weights = { folder, files, tensors: { w: { stored, start: 0, axes: [axis(3, 1)] } } };
  const content = region([3], [1], [2]);
  expect([...openGiven(0, { weights }).values(content, 0, 1)]).toEqual([2, 3]);
});
