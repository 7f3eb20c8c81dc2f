// The largest logits of each row, in order, with their ids.

import { expect, test } from "vitest";
import { noToken, topLogits, type TopLogitsShape } from "../../src/kernels/top_logits.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { runTopLogits } from "../support/interpret_sampling.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import { encode, randomSource, randomTensor, tensor, type Tensor } from "../support/tensors.ts";

const dtypes = ["f32", "f16"] as const;

async function found(shape: TopLogitsShape, logits: Tensor, dtype: "f32" | "f16") {
  const { rows, count } = shape;
  const results = await runKernel(
    await testGpu(),
    topLogits,
    shape,
    dtype,
    { logits: encode(logits, dtype) },
    { candidates: 8 * rows * count },
  );
  return [...new Uint32Array(output(results, "candidates"))];
}

describeOnAdapter("top_logits", () => {
  test.each(
    dtypes.flatMap((dtype) =>
      [
        { rows: 1, columns: 1, considered: 1, firstId: 0, count: 1 },
        { rows: 5, columns: 259, considered: 259, firstId: 0, count: 1 },
        { rows: 3, columns: 70, considered: 61, firstId: 140, count: 8 },
        { rows: 70, columns: 9, considered: 9, firstId: 9, count: 2 },
      ].map((shape) => ({ dtype, ...shape })),
    ),
  )("$dtype, $count of $considered of [$rows, $columns]", async ({ dtype, ...shape }) => {
    const { rows, columns, count } = shape;
    const logits = randomTensor(rows, columns, dtype, randomSource(columns));
    const expected = new Float64Array(2 * rows * count);
    const padded = Math.ceil(columns / 4) * 4;
    const lying = Float64Array.from({ length: rows * padded }, (_, i) =>
      i % padded < columns
        ? (logits.values[Math.floor(i / padded) * columns + (i % padded)] ?? 0)
        : 0,
    );
    runTopLogits(shape, lying, expected);
    expect(await found(shape, logits, dtype)).toEqual([...expected]);
  });

  test.each(dtypes)(
    "in %s: ties go to the lower id, padding and what is no number to nobody",
    async (dtype) => {
      const logits = tensor(1, 6, [-3, Number.NaN, 2, 2, -Infinity, 9]);
      const shape = { rows: 1, columns: 6, considered: 5, firstId: 10, count: 5 };
      const ids = (await found(shape, logits, dtype)).filter((_, i) => i % 2 === 1);
      expect(ids).toEqual([12, 13, 10, noToken, noToken]);
    },
  );
});
