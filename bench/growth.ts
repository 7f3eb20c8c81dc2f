// Cost as work grows: where a kernel falls off a cliff, its rate drops from a row to the next. Each size is one task
// of tinybench, of which the GPU's own time counts: what the host does around a dispatch is not the kernel's.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Bench, type Task } from "tinybench";
import type { LogicalGpu, PreparedKernel } from "../src/gpu/logical_gpu.ts";
import { createTimestamps, type Timestamps } from "../src/gpu/timestamps.ts";
import { variantOf } from "../src/kernels/variant.ts";
import { formatNumber } from "../src/measure/format.ts";
import { describeOnAdapter, testGpu } from "../test/support/gpu.ts";
import { bindCase, type BoundCase } from "./bind_case.ts";
import { attentionCase, type KernelCase, matmulCase } from "./kernel_case.ts";
import { clockOf, sampleOf } from "./take_turns.ts";

const matmulSizes = [256, 384, 512, 768, 1024, 1536, 2048];
const sequences = [256, 512, 1024, 2048, 4096];

const cases: readonly (readonly [name: string, make: () => KernelCase])[] = [
  ...matmulSizes.map((n) => [`matmul ${n}³`, () => matmulCase(n, n, n)] as const),
  ...sequences.map(
    (n) => [`attention, ${n} tokens`, () => attentionCase(1, n, 8, 8, 64, true)] as const,
  ),
];

describeOnAdapter("growth", () => {
  let gpu: LogicalGpu;
  let timestamps: Timestamps | undefined;
  const flops = new Map<string, number>();

  beforeAll(async () => {
    gpu = await testGpu();
    timestamps = await createTimestamps(gpu, 1);
  });
  afterAll(() => {
    gpu.close();
  });

  /** Operands come and go with the task; a kernel that computes wrong is not timed. */
  const add = (bench: Bench, name: string, make: () => KernelCase): void => {
    let bound: BoundCase | undefined;
    let prepared: PreparedKernel | undefined;
    const clock = clockOf(gpu.report.choice.software);
    bench.add(
      name,
      async () => {
        if (prepared === undefined) throw new Error(`${name} is not prepared`);
        return { overriddenDuration: clock(await sampleOf(gpu, timestamps, prepared, 1)) };
      },
      {
        async: true,
        async beforeAll() {
          bound = await bindCase(gpu, make());
          const { kernel, shape, dtype, buffers, label } = bound.call;
          flops.set(name, kernel.flops(shape));
          const variant = variantOf(kernel, shape, gpu.report, dtype);
          prepared = await gpu.prepare(kernel, shape, dtype, buffers, label, variant);
          const wrong = await bound.findWrong(prepared);
          if (wrong !== undefined) throw new Error(`${name} is wrong: ${wrong}`);
        },
        afterAll() {
          bound?.release();
        },
      },
    );
  };

  const rowOf = ({ name, result }: Task): Record<string, string | number> => {
    if (result.state !== "completed") return { case: name, state: result.state };
    const { p50, mad, samplesCount } = result.latency;
    return {
      case: name,
      "median ms": formatNumber(p50),
      "± MAD": formatNumber(mad),
      "GFLOP/s": formatNumber((flops.get(name) ?? Number.NaN) / p50 / 1e6),
      samples: samplesCount,
    };
  };

  test("of matrix products and attention", async () => {
    const bench = new Bench({ time: 200, iterations: 5, warmup: false });
    for (const [name, make] of cases) add(bench, name, make);
    await bench.run();
    const { id, software } = gpu.report.choice;
    console.log(
      `\ngrowth on ${id}, by ${software ? "the CPU time of all threads" : "the GPU's time"}`,
    );
    console.table(bench.table(rowOf));
    expect(bench.tasks.map(({ name, result }) => [name, result.state])).toEqual(
      bench.tasks.map(({ name }) => [name, "completed"]),
    );
  });
});
