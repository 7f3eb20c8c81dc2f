// The most multiply-adds per second that a kernel gets out of an adapter.

import { read, write } from "../../kernels/kernel.ts";
import type { CeilingRuns } from "./calibration.ts";
import { measureRate, type MicroVariant } from "./measure_rate.ts";
import { type Bench, microVariant, type MicroKernel, sized } from "./micro_kernel.ts";

export interface MultiplyAddShape {
  readonly workgroups: number;
  readonly iterations: number;
}

const workgroupSize = 64;
// 1,048,576 invocations: several times what the largest GPU holds at once.
const mostWorkgroups = 16_384;

export function multiplyAddInvocations({ workgroups }: MultiplyAddShape): number {
  return workgroups * workgroupSize;
}

/** @param chains scalars that one invocation counts up, from 0, 1, 2, … */
function multiplyAdd(
  name: string,
  chains: number,
  perIteration: number,
): MicroKernel<MultiplyAddShape> {
  const flops = (shape: MultiplyAddShape): number =>
    2 * multiplyAddInvocations(shape) * chains * perIteration * shape.iterations;
  const resultBytes = (shape: MultiplyAddShape): number => 4 * multiplyAddInvocations(shape);
  return {
    kernel: {
      name: `calibration/${name}`,
      bindings: [read("factors", "f32"), write("result", "f32")],
      constants: ({ iterations }) => ({ ITERATIONS: iterations }),
      grid: ({ workgroups }) => [workgroups, 1, 1],
      flops,
      bytes: (shape) => 8 + resultBytes(shape),
    },
    work: flops,
    resultBytes,
    findWrong(words, { iterations }) {
      // With factors of 1 a chain counts its own multiply-adds.
      const right = (chains * (chains - 1)) / 2 + chains * perIteration * iterations;
      const wrong = new Float32Array(words.buffer).find((value) => value !== right);
      return wrong === undefined ? undefined : `${wrong} where ${right} is right`;
    },
  };
}

/** In f32. */
export const multiplyAddVariants: readonly MicroKernel<MultiplyAddShape>[] = [
  multiplyAdd("multiply_add_scalar", 10, 4),
  multiplyAdd("multiply_add_vec4", 8, 8),
  multiplyAdd("multiply_add_vec4_wide", 16, 8),
];

/** f32 counts exactly up to 2²⁴, f16 up to 2048 in each chain. */
const kinds = {
  f32: {
    iterations: 256,
    variants: multiplyAddVariants,
  },
  f16: {
    iterations: 480,
    variants: [
      multiplyAdd("multiply_add_f16_vec2", 16, 4),
      multiplyAdd("multiply_add_f16_vec4", 16, 4),
    ],
  },
} as const;

/**
 * The adapter must compute in `kind`: f16 needs shader-f16.
 *
 * @param only the one variant to measure; default: all
 */
export async function measureMultiplyAdd(
  bench: Bench,
  kind: keyof typeof kinds,
  budgetMs: number,
  only?: string,
): Promise<CeilingRuns | undefined> {
  const { iterations, variants } = kinds[kind];
  const factors = await bench.buffer("factors", 8);
  bench.gpu.device.queue.writeBuffer(factors, 0, new Float32Array([1, 1]));
  const result = await bench.buffer("result", 4 * mostWorkgroups * workgroupSize);
  const found: MicroVariant[] = [];
  for (const variant of variants) {
    if (only !== undefined && variant.kernel.name !== only) continue;
    const make = async (workgroups: number): Promise<MicroVariant> =>
      microVariant(bench, variant, { workgroups, iterations }, [factors, result]);
    found.push(await sized(make, mostWorkgroups));
  }
  return measureRate(found, budgetMs);
}
