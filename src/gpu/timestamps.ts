// When compute passes began and ended on the GPU, on the host's time axis.

import type { LogicalGpu } from "./logical_gpu.ts";
import { findClockOffset, type PassTimes } from "./clock_offset.ts";

// The most queries that WebGPU allows in one set; a pass takes two.
const passesPerSet = 2048;
const bytesPerPass = 16;

export interface Timestamps {
  /** Passes that can be timed between two reads. */
  readonly capacity: number;
  /** Goes into the descriptor of the compute pass that takes slot `pass`. */
  passDescriptor(pass: number): Pick<GPUComputePassDescriptor, "timestampWrites">;
  /**
   * Begin and end of the first `passes` passes, one after the other, in ms of `process.hrtime`. They must
   * have been submitted. A pass that was not encoded since creation reads as an arbitrary time.
   */
  read(passes: number): Promise<Float64Array>;
  /**
   * Measures anew how far the GPU's clock is off the host's, for the two may drift apart: about a millisecond.
   * At once where they are the same clock. To be called when no pass is left to be read.
   */
  synchronise(): Promise<void>;
  destroy(): void;
}

/**
 * Undefined where the adapter cannot time passes. Its memory belongs to the measurement and is not counted
 * in `LogicalGpu.memory`.
 */
export async function createTimestamps(
  gpu: LogicalGpu,
  capacity: number,
): Promise<Timestamps | undefined> {
  const { device } = gpu;
  if (!device.features.has("timestamp-query")) return undefined;
  const label = `${device.label} timestamps`;
  const sets = Array.from({ length: Math.ceil(capacity / passesPerSet) }, (_, index) => {
    const passes = Math.min(passesPerSet, capacity - index * passesPerSet);
    return device.createQuerySet({ label, type: "timestamp", count: 2 * passes });
  });
  const size = capacity * bytesPerPass;
  const resolved = device.createBuffer({
    label: `${label} resolved`,
    size,
    usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
  });
  const staging = device.createBuffer({
    label: `${label} staging`,
    size,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });

  const passDescriptor = passDescriptorOf(sets, capacity);

  const readGpuMs = async (passes: number): Promise<Float64Array> => {
    if (passes === 0) return new Float64Array();
    const encoder = device.createCommandEncoder({ label });
    for (const [index, set] of sets.entries()) {
      const first = index * passesPerSet;
      const count = Math.min(passesPerSet, passes - first);
      if (count > 0) encoder.resolveQuerySet(set, 0, 2 * count, resolved, first * bytesPerPass);
    }
    encoder.copyBufferToBuffer(resolved, 0, staging, 0, passes * bytesPerPass);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(GPUMapMode.READ, 0, passes * bytesPerPass);
    const nanoseconds = new BigUint64Array(staging.getMappedRange(0, passes * bytesPerPass));
    const times = Float64Array.from(nanoseconds, (value) => Number(value) / 1e6);
    staging.unmap();
    return times;
  };

  const timeEmptyPass = async (): Promise<PassTimes> => {
    const encoder = device.createCommandEncoder({ label });
    encoder.beginComputePass({ label, ...passDescriptor(0) }).end();
    const commands = encoder.finish();
    const hostBeforeMs = hostMs();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    const hostAfterMs = hostMs();
    const [gpuBeginMs = 0, gpuEndMs = 0] = await readGpuMs(1);
    return { hostBeforeMs, gpuBeginMs, gpuEndMs, hostAfterMs };
  };

  let offsetMs = 0;
  const synchronise = async (): Promise<void> => {
    offsetMs = await findClockOffset(timeEmptyPass);
  };
  await synchronise();
  const isOneClock = gpu.report.choice.software && offsetMs === 0;

  return {
    capacity,
    passDescriptor,
    async read(passes) {
      return (await readGpuMs(passes)).map((ms) => ms + offsetMs);
    },
    synchronise: async () => (isOneClock ? undefined : synchronise()),
    destroy() {
      for (const set of sets) set.destroy();
      resolved.destroy();
      staging.destroy();
    },
  };
}

function passDescriptorOf(
  sets: readonly GPUQuerySet[],
  capacity: number,
): Timestamps["passDescriptor"] {
  return (pass) => {
    const querySet = sets[Math.floor(pass / passesPerSet)];
    if (querySet === undefined || pass >= capacity) {
      throw new RangeError(`no timestamps for pass ${pass}, there is room for ${capacity}`);
    }
    const first = 2 * (pass % passesPerSet);
    return {
      timestampWrites: {
        querySet,
        beginningOfPassWriteIndex: first,
        endOfPassWriteIndex: first + 1,
      },
    };
  };
}

/** ms of `process.hrtime`, the axis of all host times. */
export function hostMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
