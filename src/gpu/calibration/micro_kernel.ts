// A kernel of the calibration, ready to be timed and checked by itself.

import { NumericsError } from "../../numerics_error.ts";
import type { Kernel } from "../../kernels/kernel.ts";
import type { LogicalGpu } from "../logical_gpu.ts";
import { readBuffer } from "../read_back.ts";
import { timeKernel } from "../time_kernel.ts";
import type { Timestamps } from "../timestamps.ts";
import type { MicroVariant } from "./measure_rate.ts";

/** What the variants of one calibration share. */
export interface Bench {
  readonly gpu: LogicalGpu;
  readonly timestamps: Timestamps | undefined;
  /** A buffer that is destroyed when the calibration ends. Storage, and copies both ways. */
  buffer(role: string, bytes: number): Promise<GPUBuffer>;
}

export interface MicroKernel<Shape> {
  readonly kernel: Kernel<Shape>;
  /** What one dispatch gets done: FLOPs, or bytes. */
  readonly work: (shape: Shape) => number;
  /** In words, what is wrong with the last buffer that the kernel binds; undefined where it is right. */
  readonly findWrong: (words: Uint32Array, shape: Shape) => string | undefined;
  /** Bytes of the last buffer that a dispatch of this shape writes. */
  readonly resultBytes: (shape: Shape) => number;
}

/** @param buffers one per binding, the one that is written last */
export async function microVariant<Shape>(
  { gpu, timestamps }: Bench,
  { kernel, work, findWrong, resultBytes }: MicroKernel<Shape>,
  shape: Shape,
  buffers: readonly GPUBuffer[],
): Promise<MicroVariant> {
  const prepared = await gpu.prepare(kernel, shape, "f32", buffers, kernel.name);
  const result = buffers.at(-1);
  if (result === undefined) throw new Error(`${kernel.name} binds no buffer`);
  const run = async (): Promise<number> => timeKernel(gpu, prepared, timestamps);
  return {
    name: kernel.name,
    work: work(shape),
    run,
    async verify() {
      const bytes = resultBytes(shape);
      const encoder = gpu.device.createCommandEncoder({ label: `${kernel.name} clear` });
      encoder.clearBuffer(result, 0, bytes);
      gpu.device.queue.submit([encoder.finish()]);
      await run();
      const words = new Uint32Array(await readBuffer(gpu, result, bytes));
      const wrong = findWrong(words, shape);
      // Counting is exact, so there is no tolerance.
      if (wrong !== undefined) throw new NumericsError(`${kernel.name} gives ${wrong}`, 1, 0);
    },
  };
}

const mostGrowth = 16;

/**
 * The variant at a size at which one run outweighs the start of a dispatch, and is still short.
 *
 * @param make of so many workgroups
 */
export async function sized(
  make: (workgroups: number) => Promise<MicroVariant>,
  mostWorkgroups: number,
): Promise<MicroVariant> {
  let workgroups = firstWorkgroups;
  for (;;) {
    const variant = await make(workgroups);
    // The first run may compile.
    await variant.run();
    const ms = await variant.run();
    if (ms >= targetMs / 2 || workgroups === mostWorkgroups) return variant;
    // In steps, because a short run says little about how long a large one takes.
    const growth = Math.max(2, Math.min(mostGrowth, Math.ceil(targetMs / ms)));
    workgroups = Math.min(mostWorkgroups, workgroups * growth);
  }
}

const firstWorkgroups = 32;
const targetMs = 6;

/** In words, the first word that is not what it should be. */
export function firstWrong(
  words: Uint32Array,
  right: (index: number) => number,
): string | undefined {
  for (let index = 0; index < words.length; index += 1) {
    if (words[index] !== right(index)) {
      return `${words[index]} where ${right(index)} is right, at word ${index}`;
    }
  }
  return undefined;
}
