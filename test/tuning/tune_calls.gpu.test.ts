// Tuning on a real adapter: what wins is right, what is wrong is found out, what is known is not tried again.

import { afterAll, expect, test } from "vitest";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { groupedMatmul } from "../../src/kernels/grouped_matmul.ts";
import type { Kernel, Tiling, AlternativeShader } from "../../src/kernels/kernel.ts";
import { matmul, type MatmulShape } from "../../src/kernels/matmul.ts";
import { namedVariants } from "../../src/tuning/keys.ts";
import type { BoundCall } from "../../src/tuning/scratch.ts";
import { tuneCalls } from "../../src/tuning/tune_calls.ts";
import { isExcluded, type TunedCall } from "../../src/tuning/tuned_call.ts";
import { describeOnAdapter, testGpu } from "../support/gpu.ts";
import { prefixSums } from "../support/prefix_sums.ts";
import { encode, encodeIds, randomSource, randomTensor, tensorBytes } from "../support/tensors.ts";

const shape = { m: 33, n: 40, k: 30, activation: "none" } as const;
/** The kernel's own tiling with other numbers. */
function withConstants(at: MatmulShape, constants: Record<string, number>): Tiling {
  return {
    constants: { ...matmul.constants(at), ...constants },
    grid: matmul.grid(at),
    prelude: matmul.prelude!(),
  };
}
const everything = { budgetMs: Infinity, known: [] };

/** Leaves out the last rows. */
const shortened: AlternativeShader<MatmulShape> = {
  name: "matmul",
  runsOn: () => true,
  isPreferred: () => false,
  tilings: (at) => [withConstants(at, { M: at.m - 8 })],
};
/** No shader has a number of that name. */
const misspelt: AlternativeShader<MatmulShape> = {
  ...shortened,
  tilings: (at) => [withConstants(at, { TYLE: 8 })],
};
function withAlternatives(...alternatives: AlternativeShader<MatmulShape>[]): Kernel<MatmulShape> {
  return {
    ...matmul,
    alternatives,
  };
}

async function buffersOf(gpu: LogicalGpu, contents: readonly (Uint8Array | number)[]) {
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const buffers: GPUBuffer[] = [];
  for (const content of contents) {
    const bytes = typeof content === "number" ? content : content.byteLength;
    const buffer = await gpu.createBuffer("call", bytes, STORAGE | COPY_SRC | COPY_DST);
    if (typeof content !== "number") {
      gpu.device.queue.writeBuffer(buffer, 0, new Uint8Array(content));
    }
    buffers.push(buffer);
  }
  return buffers;
}

async function matmulCall(
  gpu: LogicalGpu,
  kernel: Kernel<MatmulShape> = matmul,
  at: MatmulShape = shape,
): Promise<BoundCall<MatmulShape>> {
  const random = randomSource(7);
  const { m, n, k } = at;
  const buffers = await buffersOf(gpu, [
    encode(randomTensor(m, k, "f32", random), "f32"),
    encode(randomTensor(k, n, "f32", random), "f32"),
    tensorBytes(m, n, "f32"),
  ]);
  return { kernel, shape: at, dtype: "f32", buffers, label: "call" };
}

function only(tuned: readonly TunedCall[]): TunedCall {
  expect(tuned).toHaveLength(1);
  return tuned[0]!;
}

describeOnAdapter("tuning", () => {
  afterAll(async () => (await testGpu()).close());

  test("tries every variant of a matmul, finds all of them right and chooses one", async () => {
    const gpu = await testGpu();
    const tuned = only(await tuneCalls(gpu, [await matmulCall(gpu)], everything));
    const { variants } = namedVariants(matmul, shape, gpu.report, "f32");
    expect(tuned.complete).toBe(true);
    expect(tuned.tried.filter(isExcluded)).toEqual([]);
    expect(new Set(tuned.tried.map(({ variant }) => variant))).toEqual(
      new Set(variants.map(({ key }) => key)),
    );
    expect(variants.map(({ key }) => key)).toContain(tuned.chosen);
  });

  test("takes the rows of uneven experts, and those that nobody uses, as they are", async () => {
    const gpu = await testGpu();
    const random = randomSource(3);
    const grouped = {
      experts: 3,
      rows: 24,
      expectedRows: 12,
      n: 20,
      k: 9,
      activation: "relu",
    } as const;
    const buffers = await buffersOf(gpu, [
      encode(randomTensor(grouped.rows, grouped.k, "f32", random), "f32"),
      encode(randomTensor(grouped.experts * grouped.k, grouped.n, "f32", random), "f32"),
      encodeIds(prefixSums([9, 0, 4])),
      tensorBytes(grouped.rows, grouped.n, "f32"),
    ]);
    const call = {
      kernel: groupedMatmul,
      shape: grouped,
      dtype: "f32",
      buffers,
      label: "experts",
    } as const;
    const tuned = only(await tuneCalls(gpu, [call], everything));
    expect(tuned.tried.filter(isExcluded)).toEqual([]);
  });

  test("excludes variants that compute wrong or do not compile, and says so", async () => {
    const gpu = await testGpu();
    const call = await matmulCall(gpu, withAlternatives(shortened, misspelt));
    const tuned = only(await tuneCalls(gpu, [call], everything));
    expect(tuned.chosen).toBe("matmul");
    const [wrong, uncompiled] = tuned.tried.filter(isExcluded);
    expect(wrong?.variant).toBe("matmul M=25");
    expect(wrong?.excluded).toMatch(/^gives wrong numbers: error \S+, allowed 1\.0e-5$/);
    expect(uncompiled?.excluded).toMatch(/^does not compile: .*TYLE/s);
  });

  test("a wrong variant that is selected untuned gives way to the kernel's own", async () => {
    const gpu = await testGpu();
    const kernel = withAlternatives({ ...shortened, isPreferred: () => true });
    const tuned = only(await tuneCalls(gpu, [await matmulCall(gpu, kernel)], everything));
    expect(tuned.chosen).toBe("matmul");
    expect(tuned.complete).toBe(true);
  });

  test("leaves no memory behind", async () => {
    const gpu = await testGpu();
    const call = await matmulCall(gpu);
    const before = gpu.memory.bytes;
    await tuneCalls(gpu, [call], everything);
    expect(gpu.memory.bytes).toBe(before);
  });

  test("goes on where an earlier run stopped, and then has nothing left to do", async () => {
    const gpu = await testGpu();
    const call = await matmulCall(gpu, withAlternatives(shortened, misspelt));
    let calls = 0;
    // Over as soon as the rivals were tried.
    const now = (): number => (calls++ < 3 ? 0 : 1000);
    const begun = await tuneCalls(gpu, [call], { budgetMs: 999, known: [], now });
    expect(only(begun)).toMatchObject({ complete: false, chosen: "matmul" });
    expect(only(begun).tried.map(({ variant }) => variant)).toEqual(["matmul"]);
    const ended = await tuneCalls(gpu, [call], { ...everything, known: begun });
    expect(only(ended)).toMatchObject({ complete: true, chosen: "matmul" });
    expect(only(ended).tried).toHaveLength(3);
    expect(await tuneCalls(gpu, [call], { ...everything, known: ended })).toEqual([]);
  });

  test("without time nothing is tried", async () => {
    const gpu = await testGpu();
    const call = await matmulCall(gpu);
    expect(await tuneCalls(gpu, [call], { budgetMs: 0, known: [] })).toEqual([]);
  });

  test("a call whose own shader writes nothing is left alone", async () => {
    const gpu = await testGpu();
    const grouped = {
      experts: 2,
      rows: 8,
      expectedRows: 4,
      n: 8,
      k: 8,
      activation: "none",
    } as const;
    const buffers = await buffersOf(gpu, [
      8 * 8 * 4,
      2 * 8 * 8 * 4,
      encodeIds([0, 0, 0]),
      8 * 8 * 4,
    ]);
    const call = {
      kernel: groupedMatmul,
      shape: grouped,
      dtype: "f32",
      buffers,
      label: "idle",
    } as const;
    expect(await tuneCalls(gpu, [call], everything)).toEqual([]);
  });
});
