// Keeps a GPU busy, all of it, for about as long as is asked for: two processes that do so at once on one GPU take
// twice as long, and on two GPUs they do not.

import type { LogicalGpu } from "../logical_gpu.ts";
import { awaitGpu } from "../patience.ts";
import { readBuffer } from "../read_back.ts";
import { hostMs } from "../timestamps.ts";
import { NumericsError } from "../../numerics_error.ts";
import { multiplyAddVariants, multiplyAddInvocations } from "./arithmetic.ts";

/** Multiply-adds that keep every lane busy: a GPU that has room for more is not full. */
export interface Load {
  /** Of one dispatch. */
  readonly workgroups: number;
  /** One after the other, in one submission. */
  readonly dispatches: number;
}

/** From submission to completion, in ms of `process.hrtime`, which all processes of a machine share. */
export interface Turn {
  readonly startMs: number;
  readonly endMs: number;
}

const iterations = 256;
const firstWorkgroups = 32;
const mostWorkgroups = 16_384;
/** Waves of workgroups by the dozen, whatever the GPU. */
const dispatchMs = 3;

/**
 * The load that keeps this GPU busy for about `targetMs`, while nothing else runs on it.
 *
 * @throws NumericsError where the kernel computes wrong
 */
export async function sizeLoad(gpu: LogicalGpu, targetMs: number): Promise<Load> {
  let workgroups = firstWorkgroups;
  const msOf = async (load: Load, verify = false): Promise<number> => {
    const { startMs, endMs } = await occupyGpu(gpu, load, verify);
    return endMs - startMs;
  };
  // The first run compiles.
  await msOf({ workgroups, dispatches: 1 }, true);
  let ms = await msOf({ workgroups, dispatches: 1 });
  while (ms < dispatchMs && workgroups < mostWorkgroups) {
    workgroups = Math.min(mostWorkgroups, 4 * workgroups);
    ms = await msOf({ workgroups, dispatches: 1 });
  }
  // Submitting costs as much for many dispatches as for one; clocks rise with the work.
  let dispatches = Math.max(1, Math.ceil(targetMs / ms));
  ms = await msOf({ workgroups, dispatches });
  dispatches = Math.max(1, Math.round((dispatches * targetMs) / ms));
  return { workgroups, dispatches };
}

/** @param verify read back what the last dispatch left */
export async function occupyGpu(
  gpu: LogicalGpu,
  { workgroups, dispatches }: Load,
  verify = false,
): Promise<Turn> {
  const [variant] = multiplyAddVariants;
  if (variant === undefined) throw new Error("there is no kernel of multiply-adds");
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const usage = STORAGE | COPY_DST | COPY_SRC;
  const shape = { workgroups, iterations };
  const bytes = 4 * multiplyAddInvocations(shape);
  const factors = await gpu.createBuffer("occupy factors", 8, usage);
  const result = await gpu.createBuffer("occupy result", bytes, usage);
  try {
    gpu.device.queue.writeBuffer(factors, 0, new Float32Array([1, 1]));
    const label = "occupy";
    const kernel = await gpu.prepare(variant.kernel, shape, "f32", [factors, result], label);
    await awaitGpu(gpu, gpu.device.queue.onSubmittedWorkDone());
    const encoder = gpu.device.createCommandEncoder({ label });
    for (let dispatch = 0; dispatch < dispatches; dispatch += 1) {
      const pass = encoder.beginComputePass({ label });
      kernel.encode(pass);
      pass.end();
    }
    const commands = encoder.finish();
    const startMs = hostMs();
    gpu.device.queue.submit([commands]);
    await awaitGpu(gpu, gpu.device.queue.onSubmittedWorkDone());
    const endMs = hostMs();
    gpu.check();
    if (verify) {
      const words = new Uint32Array(await readBuffer(gpu, result, bytes));
      const wrong = variant.findWrong(words, shape);
      if (wrong !== undefined)
        throw new NumericsError(`${variant.kernel.name} gives ${wrong}`, 1, 0);
    }
    return { startMs, endMs };
  } finally {
    gpu.destroyBuffer(factors);
    gpu.destroyBuffer(result);
  }
}
