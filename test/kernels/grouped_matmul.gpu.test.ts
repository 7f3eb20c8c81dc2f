import { describe, expect, test } from "vitest";
import { groupedMatmul, type GroupedMatmulShape } from "../../src/kernels/grouped_matmul.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { variantKernels, variantNames } from "../support/kernel_variants.ts";
import { activated, product } from "../support/matrix_product.ts";
import { rowsOf, transposedParts } from "../support/product_case.ts";
import { prefixSums } from "../support/prefix_sums.ts";
import { output, runKernel } from "../support/run_kernel.ts";
import {
  decode,
  encode,
  encodeIds,
  randomSource,
  randomTensor,
  type Tensor,
  tensorBytes,
} from "../support/tensors.ts";
import { type Expected, outOfTolerance } from "../support/tolerance.ts";

interface Case {
  readonly what: string;
  /** Rows of each expert. */
  readonly counts: readonly number[];
  readonly n: number;
  readonly k: number;
  /** Rows that the buffers hold beyond those in use. */
  readonly spare: number;
  readonly expectedRows: number;
  /** Each expert's w lies transposed, and y is multiplied by a gate. */
  readonly gatedTransposed?: true;
}

const cases: Case[] = [
  { what: "size 1", counts: [1], n: 1, k: 1, spare: 0, expectedRows: 1 },
  { what: "one exact tile", counts: [8], n: 8, k: 8, spare: 0, expectedRows: 8 },
  {
    what: "odd sizes and experts without rows",
    counts: [0, 3, 0, 9, 5, 0],
    n: 7,
    k: 5,
    spare: 4,
    expectedRows: 17,
  },
  {
    what: "w transposed and a gate",
    counts: [0, 3, 9, 5],
    n: 7,
    k: 6,
    spare: 4,
    expectedRows: 17,
    gatedTransposed: true,
  },
  {
    what: "one expert with far more rows than expected",
    counts: [1, 150, 2],
    n: 10,
    k: 9,
    spare: 1,
    expectedRows: 6,
  },
  {
    what: "a row expected of each expert, and more",
    counts: [0, 1, 10, 2],
    n: 70,
    k: 37,
    spare: 2,
    expectedRows: 4,
  },
  { what: "several column workgroups", counts: [4, 17], n: 1026, k: 6, spare: 0, expectedRows: 21 },
  {
    what: "large, for tiles that are worth it only there",
    counts: [40, 0, 17, 9, 24],
    n: 517,
    k: 401,
    spare: 3,
    expectedRows: 90,
  },
  { what: "no rows at all", counts: [0, 0], n: 6, k: 4, spare: 5, expectedRows: 4 },
];

function gatedRows(
  { values, magnitudes, terms }: Expected,
  gate: Tensor | undefined,
  first: number,
): Expected {
  const factor = (i: number): number => gate?.values[first * gate.columns + i] ?? 1;
  return {
    values: values.map((v, i) => v * factor(i)),
    magnitudes: magnitudes.map((v, i) => v * Math.abs(factor(i))),
    terms: terms + 1,
  };
}

describeOnAdapter("grouped_matmul", () => {
  describe.each(variantNames(groupedMatmul))("as %s", (name) => {
    // Variants for GPUs take seconds to compile elsewhere.
    const forGpu = name === "matmul_shared" || name === "matmul_skinny";
    const own =
      name === "matmul_shared" ? cases.filter(({ expectedRows }) => expectedRows === 17) : cases;
    test.for(
      own.flatMap((one, index) => [
        { ...one, dtype: "f32" as const },
        ...(index % 3 === 2 ? [{ ...one, dtype: "f16" as const }] : []),
      ]),
    )(
      "$dtype, counts $counts, n = $n, k = $k: $what",
      async ({ counts, n, k, spare, expectedRows, gatedTransposed, dtype }, { skip }) => {
        const gpu = await testGpu();
        const random = randomSource(n * k);
        const experts = counts.length;
        const offsets = prefixSums(counts);
        const used = offsets.at(-1) ?? 0;
        const rows = used + spare;
        const shape: GroupedMatmulShape = {
          experts,
          rows,
          expectedRows,
          n,
          k,
          activation: "relu",
          ...(gatedTransposed ? { transposed: "w", gate: true } : {}),
        };
        const adapter = forGpu ? { features: [], limits: {} } : gpu.report;
        const variants = variantKernels(groupedMatmul, shape, adapter, dtype)
          .filter((variant) => variant.name === name)
          .slice(forGpu ? -1 : 0);
        if (variants.length === 0) return skip("the adapter does not run it");
        // Numbers in the spare rows too: the kernel must leave them alone.
        const x = randomTensor(rows, k, dtype, random);
        const w = randomTensor(experts * k, n, dtype, random);
        const gate = gatedTransposed ? randomTensor(rows, n, dtype, random) : undefined;
        for (const variant of variants) {
          const results = await runKernel(
            gpu,
            variant,
            shape,
            dtype,
            {
              x: encode(x, dtype),
              w: encode(gatedTransposed ? transposedParts(w, experts) : w, dtype),
              offsets: encodeIds(offsets),
              ...(gate === undefined ? {} : { gate: encode(gate, dtype) }),
            },
            { y: tensorBytes(rows, n, dtype) },
          );
          const bytes = output(results, "y");
          for (const [expert, count] of counts.entries()) {
            const first = offsets[expert] ?? 0;
            const expected = product(rowsOf(x, first, count), rowsOf(w, expert * k, k));
            const rowBytes = tensorBytes(1, n, dtype);
            const part = bytes.slice(first * rowBytes, (first + count) * rowBytes);
            expect(
              outOfTolerance(
                decode(part, count, n, dtype).values,
                gatedRows(activated(expected, "relu"), gate, first),
                dtype,
              ),
            ).toEqual([]);
          }
          const untouched = new Uint8Array(bytes.slice(tensorBytes(used, n, dtype)));
          expect(untouched.every((byte) => byte === 0xff)).toBe(true);
        }
      },
    );
  });
});
