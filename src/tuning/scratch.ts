// A call's outputs in memory of their own: variants are tried on the real inputs and leave the real outputs alone.

import type { LogicalGpu, PreparedKernel } from "../gpu/logical_gpu.ts";
import { readBuffer } from "../gpu/read_back.ts";
import type { Variant } from "../kernels/variant.ts";
import { bindingsOf, type Kernel } from "../kernels/kernel.ts";
import { bytesPerElement, type DType, type StorageType } from "../kernels/storage.ts";
import { allowedError, beforehand, errorOf } from "./agreement.ts";

/** A kernel bound to buffers whose inputs are such as it may meet. */
export interface BoundCall<Shape> {
  readonly kernel: Kernel<Shape>;
  readonly shape: Shape;
  readonly dtype: StorageType;
  /** As the kernel binds them. */
  readonly buffers: readonly (GPUBuffer | GPUBufferBinding)[];
  readonly label: string;
}

export interface TuningScratch {
  prepare(variant: Variant): Promise<PreparedKernel>;
  /** Runs it once and keeps what it wrote as what is right. False where it wrote nothing. */
  learn(right: PreparedKernel): Promise<boolean>;
  /** Runs it once and says what is wrong with what it wrote; undefined where nothing is. */
  compare(prepared: PreparedKernel): Promise<string | undefined>;
  destroy(): void;
}

interface Output {
  readonly buffer: GPUBuffer;
  readonly dtype: DType;
  readonly before: ArrayBuffer;
}

/** Throws `EnvironmentError` where the GPU has no memory for it. */
export async function createTuningScratch<Shape extends object>(
  gpu: LogicalGpu,
  { kernel, shape, dtype, buffers, label }: BoundCall<Shape>,
): Promise<TuningScratch> {
  const outputs: Output[] = [];
  const destroy = (): void => {
    for (const { buffer } of outputs) gpu.destroyBuffer(buffer);
  };
  const bound: (GPUBuffer | GPUBufferBinding)[] = [...buffers];
  try {
    for (const [index, { access, element, name }] of bindingsOf(kernel, shape).entries()) {
      const own = buffers[index];
      if (access === "read" || own === undefined) continue;
      const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
      const usage = STORAGE | COPY_SRC | COPY_DST;
      const size = own.size ?? ("buffer" in own ? own.buffer.size : 0);
      const buffer = await gpu.createBuffer(`${label} tried ${name}`, size, usage);
      const type = element === "storage" ? dtype : element;
      outputs.push({ buffer, dtype: type, before: beforehand(size, type) });
      bound[index] = buffer;
    }
  } catch (error) {
    destroy();
    throw error;
  }
  const { queue } = gpu.device;
  const run = async (prepared: PreparedKernel): Promise<ArrayBuffer[]> => {
    for (const { buffer, before } of outputs) queue.writeBuffer(buffer, 0, before);
    const encoder = gpu.device.createCommandEncoder({ label: prepared.label });
    const pass = encoder.beginComputePass({ label: prepared.label });
    prepared.encode(pass);
    pass.end();
    queue.submit([encoder.finish()]);
    const written: ArrayBuffer[] = [];
    for (const { buffer } of outputs) written.push(await readBuffer(gpu, buffer));
    return written;
  };
  let references: readonly ArrayBuffer[] = [];
  return {
    prepare: async (variant) => gpu.prepare(kernel, shape, dtype, bound, label, variant),

    async learn(right) {
      references = await run(right);
      return outputs.every(({ before }, index) => !sameBytes(before, references[index]));
    },

    async compare(prepared) {
      const written = await run(prepared);
      for (const [index, { dtype: type, before }] of outputs.entries()) {
        const [reference, actual] = [references[index], written[index]];
        if (reference === undefined || actual === undefined) throw new Error("learn comes first");
        const error = errorOf({ before, reference, actual }, type);
        const elements = before.byteLength / bytesPerElement(type);
        const allowed = allowedError(kernel.flops(shape) / (2 * elements), type);
        if (!(error <= allowed)) return describeError(error, allowed);
      }
    },

    destroy,
  };
}

function sameBytes(a: ArrayBuffer, b: ArrayBuffer | undefined): boolean {
  return b !== undefined && Buffer.compare(new Uint8Array(a), new Uint8Array(b)) === 0;
}

function describeError(error: number, allowed: number): string {
  return error === Infinity
    ? "gives wrong numbers"
    : `gives wrong numbers: error ${error.toExponential(1)}, allowed ${allowed.toExponential(1)}`;
}
