// How fast bytes move on an adapter, and between it and the host.

import { NumericsError } from "../numerics_error.ts";
import { copy } from "./calibration_kernels.ts";
import type { LogicalGpu } from "./logical_gpu.ts";
import { timeKernel } from "./time_kernel.ts";
import { createTimestamps, hostMs } from "./timestamps.ts";

export interface TransferRates {
  readonly copyBandwidth: number;
  readonly uploadBandwidth: number;
  readonly readbackBandwidth: number;
}

const mebibyte = 2 ** 20;
// Beyond the caches: a hardware GPU keeps up to 50 MB close by.
const softwareBytes = 16 * mebibyte;
const hardwareBytes = 256 * mebibyte;
const roundTrips = 31;

/** The best of `samples` runs, in bytes per second. What arrives is compared with what was sent. */
export async function measureTransfers(gpu: LogicalGpu, samples: number): Promise<TransferRates> {
  const bytes = Math.min(
    gpu.report.choice.software ? softwareBytes : hardwareBytes,
    gpu.device.limits.maxStorageBufferBindingSize,
  );
  const { STORAGE, COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const buffers: GPUBuffer[] = [];
  const make = async (role: string, usage: GPUBufferUsageFlags): Promise<GPUBuffer> => {
    const buffer = await gpu.createBuffer(`calibration ${role}`, bytes, usage);
    buffers.push(buffer);
    return buffer;
  };
  const timestamps = await createTimestamps(gpu, 1);
  try {
    const x = await make("x", STORAGE | COPY_DST);
    const y = await make("y", STORAGE | COPY_SRC);
    const staging = await make("staging", COPY_DST | MAP_READ);
    const prepared = await gpu.prepare(copy, { quads: bytes / 16 }, "f32", [x, y], copy.name);
    const sent = Uint32Array.from({ length: bytes / 4 }, (_, index) =>
      Math.imul(index, 0x9e3779b1),
    );
    const arrived = new Uint8Array(bytes);

    const times = { upload: Infinity, copy: Infinity, readback: Infinity };
    // The first round warms up.
    for (let round = 0; round <= samples; round += 1) {
      const upload = await timeUpload(gpu, x, sent);
      const copied = await timeKernel(gpu, prepared, timestamps);
      const readback = await timeReadback(gpu, y, staging, arrived);
      if (round === 0) continue;
      times.upload = Math.min(times.upload, upload);
      times.copy = Math.min(times.copy, copied);
      times.readback = Math.min(times.readback, readback);
    }
    if (Buffer.compare(arrived, new Uint8Array(sent.buffer)) !== 0) {
      throw new NumericsError("bytes that went to the GPU and back have changed", 1, 0);
    }
    return {
      copyBandwidth: (2 * bytes * 1000) / times.copy,
      uploadBandwidth: (bytes * 1000) / times.upload,
      readbackBandwidth: (bytes * 1000) / times.readback,
    };
  } finally {
    timestamps?.destroy();
    for (const buffer of buffers) gpu.destroyBuffer(buffer);
  }
}

async function timeUpload(
  gpu: LogicalGpu,
  target: GPUBuffer,
  data: Uint32Array<ArrayBuffer>,
): Promise<number> {
  const before = hostMs();
  gpu.device.queue.writeBuffer(target, 0, data);
  gpu.device.queue.submit([]);
  await gpu.device.queue.onSubmittedWorkDone();
  return hostMs() - before;
}

async function timeReadback(
  gpu: LogicalGpu,
  source: GPUBuffer,
  staging: GPUBuffer,
  target: Uint8Array,
): Promise<number> {
  const before = hostMs();
  const encoder = gpu.device.createCommandEncoder({ label: staging.label });
  encoder.copyBufferToBuffer(source, 0, staging, 0, target.byteLength);
  gpu.device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  target.set(new Uint8Array(staging.getMappedRange()));
  staging.unmap();
  return hostMs() - before;
}

/** Median over many copies of 4 bytes, in ms. */
export async function measureSubmitRoundTrip(gpu: LogicalGpu): Promise<number> {
  const { COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const source = await gpu.createBuffer("round trip source", 4, COPY_SRC);
  const staging = await gpu.createBuffer("round trip staging", 4, COPY_DST | MAP_READ);
  try {
    const times: number[] = [];
    for (let index = 0; index < roundTrips; index += 1) {
      times.push(await timeReadback(gpu, source, staging, new Uint8Array(4)));
    }
    return times.toSorted((a, b) => a - b)[(roundTrips - 1) / 2] ?? 0;
  } finally {
    gpu.destroyBuffer(source);
    gpu.destroyBuffer(staging);
  }
}
