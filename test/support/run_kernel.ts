// Runs one kernel once on a test's GPU.

import { readBuffer } from "../../src/gpu/read_back.ts";
import type { LogicalGpu } from "../../src/gpu/logical_gpu.ts";
import { bindingsOf, type Kernel } from "../../src/kernels/kernel.ts";
import type { StorageType } from "../../src/kernels/storage.ts";

/** Bytes beside every buffer, on either side, that no kernel may touch; as much as an offset is aligned to. */
const guardBytes = 4096;

/**
 * `inputs` are the bytes of the read bindings and `outputs` the sizes of the others, by name. Outputs that are not
 * among the inputs start as NaN patterns, so that what a kernel fails to write is seen. So do the guards beside all buffers: the device
 * does not clamp indices, what is read beyond a buffer makes the result NaN, and what is written there throws.
 */
export async function runKernel<Shape>(
  gpu: LogicalGpu,
  kernel: Kernel<Shape>,
  shape: Shape,
  dtype: StorageType,
  inputs: Readonly<Record<string, Uint8Array>>,
  outputs: Readonly<Record<string, number>>,
): Promise<Record<string, ArrayBuffer>> {
  const bound: { buffer: GPUBuffer; offset: number; size: number }[] = [];
  try {
    for (const { name, access } of bindingsOf(kernel, shape)) {
      const bytes =
        inputs[name] ??
        (access === "read" ? undefined : new Uint8Array(outputs[name] ?? 0).fill(0xff));
      if (bytes === undefined) throw new Error(`${kernel.name} needs ${name}`);
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const guarded = withGuards(bytes);
      const label = `${kernel.name} ${name}`;
      const buffer = await gpu.createBuffer(label, guarded.byteLength, usage);
      bound.push({ buffer, offset: guardBytes, size: guarded.byteLength - 2 * guardBytes });
      gpu.device.queue.writeBuffer(buffer, 0, guarded);
    }
    const prepared = await gpu.prepare(kernel, shape, dtype, bound, kernel.name);
    const encoder = gpu.device.createCommandEncoder({ label: kernel.name });
    const pass = encoder.beginComputePass({ label: kernel.name });
    prepared.encode(pass);
    pass.end();
    gpu.device.queue.submit([encoder.finish()]);

    const results: Record<string, ArrayBuffer> = {};
    for (const [index, { name, access }] of bindingsOf(kernel, shape).entries()) {
      const one = bound[index];
      if (one === undefined) continue;
      const bytes = await readBuffer(gpu, one.buffer);
      if (!guardsIntact(bytes)) throw new Error(`${kernel.name} wrote beyond ${name}`);
      if (access === "read") continue;
      results[name] = bytes.slice(guardBytes, guardBytes + (outputs[name] ?? 0));
    }
    return results;
  } finally {
    for (const { buffer } of bound) gpu.destroyBuffer(buffer);
  }
}

function withGuards(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const size = Math.ceil(bytes.byteLength / 4) * 4;
  const guarded = new Uint8Array(size + 2 * guardBytes).fill(0xff);
  guarded.fill(0, guardBytes, guardBytes + size).set(bytes, guardBytes);
  return guarded;
}

function guardsIntact(bytes: ArrayBuffer): boolean {
  return [
    new Uint8Array(bytes, 0, guardBytes),
    new Uint8Array(bytes, bytes.byteLength - guardBytes),
  ].every((guard) => guard.every((byte) => byte === 0xff));
}

/** The bytes of one output. */
export function output(results: Readonly<Record<string, ArrayBuffer>>, name: string): ArrayBuffer {
  const bytes = results[name];
  if (bytes === undefined) throw new Error(`no output ${name}`);
  return bytes;
}
