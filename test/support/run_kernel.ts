// Runs one kernel once on a test's GPU.

import { readBuffer } from "../../src/gpu/read_back.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import type { StorageType } from "../../src/kernels/storage.ts";

/**
 * `inputs` are the bytes of the read bindings and `outputs` the sizes of the others, by name. Outputs start
 * as NaN patterns, so that what a kernel fails to write is seen.
 */
export async function runKernel<Shape>(
  gpu: LogicalGpu,
  kernel: Kernel<Shape>,
  shape: Shape,
  dtype: StorageType,
  inputs: Readonly<Record<string, Uint8Array>>,
  outputs: Readonly<Record<string, number>>,
): Promise<Record<string, ArrayBuffer>> {
  const buffers: GPUBuffer[] = [];
  try {
    for (const { name, access } of kernel.bindings) {
      const bytes =
        access === "read" ? inputs[name] : new Uint8Array(outputs[name] ?? 0).fill(0xff);
      if (bytes === undefined) throw new Error(`${kernel.name} needs ${name}`);
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = await gpu.createBuffer(`${kernel.name} ${name}`, bytes.byteLength, usage);
      buffers.push(buffer);
      gpu.device.queue.writeBuffer(buffer, 0, wholeWords(bytes));
    }
    const prepared = await gpu.prepare(kernel, shape, dtype, buffers, kernel.name);
    const encoder = gpu.device.createCommandEncoder({ label: kernel.name });
    const pass = encoder.beginComputePass({ label: kernel.name });
    prepared.encode(pass);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);

    const results: Record<string, ArrayBuffer> = {};
    for (const [index, { name, access }] of kernel.bindings.entries()) {
      const buffer = buffers[index];
      if (access === "read" || buffer === undefined) continue;
      const bytes = await readBuffer(gpu, buffer);
      results[name] = bytes.slice(0, outputs[name]);
    }
    return results;
  } finally {
    for (const buffer of buffers) gpu.destroyBuffer(buffer);
  }
}

/** `writeBuffer` takes multiples of 4 bytes. */
function wholeWords(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(Math.ceil(bytes.byteLength / 4) * 4);
  whole.set(bytes);
  return whole;
}

/** The bytes of one output. */
export function output(results: Readonly<Record<string, ArrayBuffer>>, name: string): ArrayBuffer {
  const bytes = results[name];
  if (bytes === undefined) throw new Error(`no output ${name}`);
  return bytes;
}
