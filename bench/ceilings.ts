// The adapter's ceilings as contenders: multiply-adds and copies that take turns with the kernels.

import type { LogicalGpu, PreparedKernel } from "../src/gpu/logical_gpu.ts";
import { multiplyAddVariants, multiplyAddInvocations } from "../src/gpu/calibration/arithmetic.ts";
import { copies } from "../src/gpu/calibration/memory.ts";

export interface CeilingKernel {
  readonly bound: "FMA" | "copy";
  readonly prepared: PreparedKernel;
  /** FLOPs or bytes of one run. */
  readonly work: number;
}

const workgroups = 512;
const iterations = 256;
// As much as the largest operands of the cases: on software adapters caches help both alike.
const softwareBytes = 2 ** 24;
// Beyond the caches: a GPU keeps up to 50 MB close by.
const hardwareBytes = 2 ** 28;

/** All variants of both; the best of a bound is the ceiling. Their buffers live as long as the GPU. */
export async function ceilingKernels(gpu: LogicalGpu): Promise<CeilingKernel[]> {
  const { STORAGE, COPY_DST } = GPUBufferUsage;
  const factors = await gpu.createBuffer("factors", 8, STORAGE | COPY_DST);
  gpu.device.queue.writeBuffer(factors, 0, new Float32Array([1, 1]));
  const shape = { workgroups, iterations };
  const result = await gpu.createBuffer("result", 4 * multiplyAddInvocations(shape), STORAGE);
  const arithmetic = multiplyAddVariants.map(async ({ kernel }): Promise<CeilingKernel> => ({
    bound: "FMA",
    prepared: await gpu.prepare(kernel, shape, "f32", [factors, result], kernel.name),
    work: kernel.flops(shape),
  }));

  const bytes = Math.min(
    gpu.report.choice.software ? softwareBytes : hardwareBytes,
    gpu.device.limits.maxStorageBufferBindingSize,
  );
  const x = await gpu.createBuffer("copied", bytes, STORAGE);
  const y = await gpu.createBuffer("copy", bytes, STORAGE);
  const quads = { quads: bytes / 16 };
  return [
    ...(await Promise.all(arithmetic)),
    ...(await Promise.all(
      copies.map(async (copy): Promise<CeilingKernel> => ({
        bound: "copy",
        prepared: await gpu.prepare(copy, quads, "f32", [x, y], copy.name),
        work: copy.bytes(quads, "f32"),
      })),
    )),
  ];
}
