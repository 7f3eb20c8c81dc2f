// Buffers of one device: limits checked before creation, bytes counted while they live.

import { EnvironmentError } from "../environment_error.ts";
import type { LogicalGpu } from "./logical_gpu.ts";

export type BufferStore = Pick<
  LogicalGpu,
  "memory" | "createBuffer" | "destroyBuffer" | "uncounted" | "apart"
>;

export function createBufferStore(device: GPUDevice, adapterId: string): BufferStore {
  const live = new Map<GPUBuffer, number>();
  const memory = { bytes: 0, peakBytes: 0 };
  let counts = true;

  const createBuffer = async (
    label: string,
    bytes: number,
    usage: GPUBufferUsageFlags,
  ): Promise<GPUBuffer> => {
    const size = Math.ceil(bytes / 4) * 4;
    refuseOverLimit(device, adapterId, label, size);
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    const buffer = device.createBuffer({ label, size, usage });
    const [invalid, exhausted] = await Promise.all([
      device.popErrorScope(),
      device.popErrorScope(),
    ]);
    if (invalid !== null) throw new Error(`buffer "${label}": ${invalid.message}`);
    if (exhausted !== null) {
      throw new EnvironmentError(
        "out-of-memory",
        `adapter ${adapterId} has no memory for buffer "${label}" of ${size} bytes beside the ${memory.bytes} bytes in use`,
        "use a smaller batch, more ranks or f16, or place fewer ranks on this adapter",
      );
    }
    const counted = counts ? size : 0;
    live.set(buffer, counted);
    memory.bytes += counted;
    memory.peakBytes = Math.max(memory.peakBytes, memory.bytes);
    return buffer;
  };

  const destroyBuffer = (buffer: GPUBuffer): void => {
    const size = live.get(buffer);
    if (size === undefined) {
      throw new Error(`buffer "${buffer.label}" is not one of this GPU's, or was destroyed before`);
    }
    live.delete(buffer);
    memory.bytes -= size;
    buffer.destroy();
  };

  const uncounted = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    const { peakBytes } = memory;
    try {
      return await work();
    } finally {
      memory.peakBytes = Math.max(peakBytes, memory.bytes);
    }
  };

  const apart = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    counts = false;
    try {
      return await work();
    } finally {
      counts = true;
    }
  };

  return { memory, createBuffer, destroyBuffer, uncounted, apart };
}

/** What is bound of a buffer may have less: whoever binds knows how much that is. */
function refuseOverLimit(
  { limits: { maxBufferSize } }: GPUDevice,
  adapterId: string,
  label: string,
  size: number,
): void {
  if (size <= maxBufferSize) return;
  throw new EnvironmentError(
    "buffer-over-limit",
    `buffer "${label}" needs ${size} bytes, adapter ${adapterId} allows ${maxBufferSize} (maxBufferSize)`,
    "split the layer over more ranks, use a smaller batch or f16, or choose an adapter with a higher limit",
  );
}
