// The buffers of a case on a GPU, and what a kernel left in them.

import type { LogicalGpu, PreparedKernel } from "../src/gpu/logical_gpu.ts";
import { awaitGpu } from "../src/gpu/patience.ts";
import { readBuffer } from "../src/gpu/read_back.ts";
import { kernelOf } from "../src/kernels/catalog.ts";
import { bindingsOf, type Kernel } from "../src/kernels/kernel.ts";
import type { BoundCall } from "../src/tuning/scratch.ts";
import type { KernelCase } from "./kernel_case.ts";

export interface BoundCase {
  readonly call: BoundCall<object>;
  /** Runs it once on outputs full of NaN. Undefined where the result is right. */
  findWrong(prepared: PreparedKernel): Promise<string | undefined>;
  release(): void;
}

export async function bindCase(gpu: LogicalGpu, one: KernelCase): Promise<BoundCase> {
  const kernel = kernelOf(one.call) as Kernel<object>;
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const buffers = new Map<string, GPUBuffer>();
  for (const { name } of bindingsOf(kernel, one.call.shape)) {
    const bytes = one.inputs[name];
    const size = bytes?.byteLength ?? one.outputs[name];
    if (size === undefined) throw new Error(`${one.name} says nothing of ${name}`);
    const buffer = await gpu.createBuffer(name, size, STORAGE | COPY_SRC | COPY_DST);
    if (bytes !== undefined) gpu.device.queue.writeBuffer(buffer, 0, bytes);
    buffers.set(name, buffer);
  }
  return {
    call: {
      kernel,
      shape: one.call.shape,
      dtype: one.dtype ?? "f32",
      buffers: [...buffers.values()],
      label: one.name,
    },
    async findWrong(prepared) {
      const outputs: Record<string, ArrayBuffer> = {};
      const written = Object.keys(one.outputs).flatMap((name) => {
        const buffer = buffers.get(name);
        return buffer === undefined ? [] : [[name, buffer] as const];
      });
      for (const [, buffer] of written) {
        gpu.device.queue.writeBuffer(buffer, 0, new Uint8Array(buffer.size).fill(0xff));
      }
      await submit(gpu, prepared);
      for (const [name, buffer] of written) outputs[name] = await readBuffer(gpu, buffer);
      return one.findWrong(outputs);
    },
    release() {
      for (const buffer of buffers.values()) gpu.destroyBuffer(buffer);
    },
  };
}

/** One run of it, awaited. */
export async function submit(
  gpu: LogicalGpu,
  kernel: PreparedKernel,
  repeats = 1,
  pass: GPUComputePassDescriptor = {},
): Promise<void> {
  const encoder = gpu.device.createCommandEncoder({ label: kernel.label });
  const encoding = encoder.beginComputePass({ label: kernel.label, ...pass });
  for (let index = 0; index < repeats; index += 1) kernel.encode(encoding);
  encoding.end();
  gpu.device.queue.submit([encoder.finish()]);
  await awaitGpu(gpu, gpu.device.queue.onSubmittedWorkDone());
  gpu.check();
}
