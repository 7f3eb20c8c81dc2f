// One logical GPU: an adapter's device and what is allocated on it.

import type { Variant } from "../kernels/variant.ts";
import type { Kernel } from "../kernels/kernel.ts";
import type { StorageType } from "../kernels/storage.ts";
import type { AdapterReport } from "./adapter.ts";

/** A dispatch that is ready to be encoded, again and again. */
export interface PreparedKernel {
  readonly label: string;
  readonly variant: Variant;
  encode(pass: GPUComputePassEncoder): void;
}

export interface LogicalGpu {
  readonly device: GPUDevice;
  readonly report: AdapterReport;
  /** Bytes of all live buffers made by `createBuffer`, now and at most. */
  readonly memory: { readonly bytes: number; readonly peakBytes: number };
  /** Size is rounded up to 4. Throws `EnvironmentError` when it is over a limit or memory runs out. */
  createBuffer(label: string, bytes: number, usage: GPUBufferUsageFlags): Promise<GPUBuffer>;
  destroyBuffer(buffer: GPUBuffer): void;
  /** Does work whose buffers, gone when it ends, are left out of `memory.peakBytes`. */
  uncounted<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Does work whose buffers are never in `memory`, however long they live: they belong to a measurement. */
  apart<Result>(work: () => Promise<Result>): Promise<Result>;
  /**
   * Compiles on first use; the same kernel, shape, dtype and variant share a pipeline.
   *
   * @param variant default: the one expected to be fastest
   */
  prepare<Shape>(
    kernel: Kernel<Shape>,
    shape: Shape,
    dtype: StorageType,
    /** Whole buffers, or parts of them where bindings may begin. */
    buffers: readonly (GPUBuffer | GPUBufferBinding)[],
    label: string,
    variant?: Variant,
  ): Promise<PreparedKernel>;
  /** Resolves with the reason when the device is lost for any other cause than `close`. */
  readonly lost: Promise<string>;
  /** Throws the first error that no caller caught; call it after awaiting the GPU. */
  check(): void;
  close(): void;
}
