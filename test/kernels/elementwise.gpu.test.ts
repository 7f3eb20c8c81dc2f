import { expect, test } from "vitest";
import { add } from "../../src/kernels/add.ts";
import { aggregate } from "../../src/kernels/aggregate.ts";
import { embedding } from "../../src/kernels/embedding.ts";
import { reduceSum } from "../../src/kernels/reduce_sum.ts";
import { checkedRun } from "../support/checked_kernel.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { outOfTolerance } from "../support/tolerance.ts";

const dtypes = ["f32", "f16"] as const;
const sizes = [
  [1, 1],
  [3, 7],
  [8, 32],
  [65, 5],
] as const;
const cases = dtypes.flatMap((dtype) => sizes.map(([rows, columns]) => ({ dtype, rows, columns })));

describeOnAdapter("element-wise kernels", () => {
  test.each(cases)("add, $dtype [$rows, $columns]", async ({ dtype, rows, columns }) => {
    const random = randomSource(rows);
    const a = randomTensor(rows, columns, dtype, random);
    const b = randomTensor(rows, columns, dtype, random);
    const results = await runKernel(
      await testGpu(),
      add,
      { rows, columns },
      dtype,
      { a: encode(a, dtype), b: encode(b, dtype) },
      { y: tensorBytes(rows, columns, dtype) },
    );
    const values = a.values.map((v, i) => v + (b.values[i] ?? 0));
    const expected = { values, magnitudes: values.map(Math.abs), terms: 1 };
    expect(
      outOfTolerance(decode(output(results, "y"), rows, columns, dtype).values, expected, dtype),
    ).toEqual([]);
  });

  test.each(dtypes)("reduce_sum, %s, adds the pieces in order", async (dtype) => {
    const [pieces, elements] = [3, 260];
    const x = randomTensor(pieces, elements, dtype, randomSource(2));
    const results = await runKernel(
      await testGpu(),
      reduceSum,
      { pieces, elements },
      dtype,
      { x: encode(x, dtype) },
      { y: tensorBytes(1, elements, dtype) },
    );
    const expected = Array.from({ length: elements }, (_, i) => {
      const [a = 0, b = 0, c = 0] = [0, 1, 2].map((piece) => x.values[piece * elements + i]);
      return Math.fround(Math.fround(a + b) + c);
    });
    const bits = encode(tensor(1, elements, expected), dtype);
    expect(new Uint8Array(output(results, "y"))).toEqual(bits);
  });

  test("reduce_sum of one piece, over more workgroups than one dimension holds, is a copy", async () => {
    const elements = (65_535 * 64 + 3) * 4;
    const halves = Uint16Array.from({ length: elements }, (_, i) => (i * 31) % 0x7c_00);
    const results = await runKernel(
      await testGpu(),
      reduceSum,
      { pieces: 1, elements },
      "f16",
      { x: new Uint8Array(halves.buffer) },
      { y: halves.byteLength },
    );
    expect(Buffer.compare(Buffer.from(output(results, "y")), Buffer.from(halves.buffer))).toBe(0);
  });

  test.each(
    dtypes.flatMap((dtype) =>
      [
        [1, 1, 1],
        [6, 7, 3],
        [64, 8, 64],
      ].map(([rows = 0, columns = 0, group = 0]) => ({ dtype, rows, columns, group })),
    ),
  )("aggregate, $dtype [$rows, $columns] by $group", async ({ dtype, rows, columns, group }) => {
    const x = randomTensor(rows, columns, dtype, randomSource(rows));
    const results = await runKernel(
      await testGpu(),
      aggregate,
      { rows, columns, group, scale: 1 / group },
      dtype,
      { x: encode(x, dtype) },
      { y: tensorBytes(rows / group, columns, dtype) },
    );
    const values = new Float64Array((rows / group) * columns);
    const magnitudes = new Float64Array(values.length);
    for (const [i, v] of x.values.entries()) {
      const index = Math.floor(i / columns / group) * columns + (i % columns);
      values[index] = (values[index] ?? 0) + v / group;
      magnitudes[index] = (magnitudes[index] ?? 0) + Math.abs(v) / group;
    }
    const actual = decode(output(results, "y"), rows / group, columns, dtype).values;
    expect(outOfTolerance(actual, { values, magnitudes, terms: group }, dtype)).toEqual([]);
  });

  test.each(dtypes)(
    "embedding, %s, gives zeros for ids below and above its shard",
    async (dtype) => {
      const [hidden, vocabularyStart, vocabularyRows] = [6, 10, 5];
      const table = randomTensor(vocabularyRows, hidden, dtype, randomSource(3));
      const ids = [10, 9, 14, 15, 0, 12, 4_000_000_000];
      const results = await runKernel(
        await testGpu(),
        embedding,
        { tokens: ids.length, hidden, vocabularyStart, vocabularyRows },
        dtype,
        { ids: encodeIds(ids), table: encode(table, dtype) },
        { y: tensorBytes(ids.length, hidden, dtype) },
      );
      const expected = ids.flatMap((id) => {
        const first = (id - vocabularyStart) * hidden;
        const inside = id >= vocabularyStart && id < vocabularyStart + vocabularyRows;
        return inside
          ? [...table.values.subarray(first, first + hidden)]
          : Array<number>(hidden).fill(0);
      });
      const actual = decode(output(results, "y"), ids.length, hidden, dtype).values;
      expect([...actual]).toEqual(expected);
    },
  );

  test.each(dtypes)("embedding, %s, in two tables leaves the other's rows alone", async (dtype) => {
    const [hidden, vocabularyStart, vocabularyRows] = [6, 10, 5];
    const random = randomSource(4);
    const table = randomTensor(vocabularyRows, hidden, dtype, random);
    const ids = [10, 9, 14, 15, 0];
    const before = randomTensor(ids.length, hidden, dtype, random);
    const bytes = tensorBytes(ids.length, hidden, dtype);
    const shape = { tokens: ids.length, hidden, vocabularyStart, vocabularyRows, scale: 2 };
    const { results, worst, spoilt } = await checkedRun(
      { kernel: "embedding", shape: { ...shape, tile: { index: 1, count: 2 } } },
      dtype,
      { ids: encodeIds(ids), table: encode(table, dtype), y: encode(before, dtype) },
      { y: bytes },
    );
    const expected = ids.flatMap((id, token) => {
      const [own, row] = [table.values, id - vocabularyStart];
      return row >= 0 && row < vocabularyRows
        ? [...own.subarray(row * hidden, (row + 1) * hidden)].map((value) => 2 * value)
        : [...before.values.subarray(token * hidden, (token + 1) * hidden)];
    });
    const actual = decode(output(results, "y"), ids.length, hidden, dtype).values;
    expect([...actual]).toEqual(expected);
    expect(worst).toBeLessThanOrEqual(1);
    for (const token of ids.keys()) {
      expect(await spoilt("y", (token * bytes) / ids.length / 4)).toBeGreaterThan(1);
    }
  });
});
