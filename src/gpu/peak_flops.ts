// The most multiply-adds per second that a kernel gets out of an adapter.

import { NumericsError } from "../numerics_error.ts";
import {
  type MultiplyAddForm,
  multiplyAddForms,
  multiplyAddInvocations,
  type MultiplyAddShape,
} from "./calibration_kernels.ts";
import type { LogicalGpu } from "./logical_gpu.ts";
import { readBuffer } from "./read_back.ts";
import { timeKernel } from "./time_kernel.ts";
import { createTimestamps, type Timestamps } from "./timestamps.ts";

export interface PeakFlops {
  readonly peakFlops: number;
  /** (slowest − fastest run) ÷ fastest run. */
  readonly spread: number;
  /** Which kernel was the fastest. */
  readonly form: string;
}

const iterations = 256;
const firstWorkgroups = 32;
// 1,048,576 invocations: several times what the largest GPU holds at once.
const mostWorkgroups = 16_384;
// Long enough to outweigh the start of a dispatch, short enough to be repeated.
const targetMs = 6;

export async function measurePeakFlops(gpu: LogicalGpu, samples: number): Promise<PeakFlops> {
  const timestamps = await createTimestamps(gpu, 1);
  try {
    let best: PeakFlops | undefined;
    for (const form of multiplyAddForms) {
      const reached = await measureForm(gpu, form, samples, timestamps);
      if (best === undefined || reached.peakFlops > best.peakFlops) best = reached;
    }
    if (best === undefined) throw new Error("there is no form to measure");
    return best;
  } finally {
    timestamps?.destroy();
  }
}

async function measureForm(
  gpu: LogicalGpu,
  form: MultiplyAddForm,
  samples: number,
  timestamps: Timestamps | undefined,
): Promise<PeakFlops> {
  let shape: MultiplyAddShape = { workgroups: firstWorkgroups, iterations };
  let [timeMs] = await run(gpu, form, shape, 2, timestamps);
  while (timeMs !== undefined && timeMs < targetMs / 2 && shape.workgroups < mostWorkgroups) {
    // In steps, because a short run says little about how long a large one takes.
    const growth = Math.min(16, Math.ceil(targetMs / timeMs));
    shape = { iterations, workgroups: Math.min(mostWorkgroups, shape.workgroups * growth) };
    [timeMs] = await run(gpu, form, shape, 1, timestamps);
  }
  const times = await run(gpu, form, shape, samples, timestamps);
  const fastest = Math.min(...times);
  return {
    peakFlops: (form.kernel.flops(shape) / fastest) * 1000,
    spread: (Math.max(...times) - fastest) / fastest,
    form: form.kernel.name,
  };
}

/** Times of `count` runs in ms, fastest first; the result of the last is checked. */
async function run(
  gpu: LogicalGpu,
  { kernel, expected }: MultiplyAddForm,
  shape: MultiplyAddShape,
  count: number,
  timestamps: Timestamps | undefined,
): Promise<number[]> {
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const factors = await gpu.createBuffer(`${kernel.name} factors`, 8, STORAGE | COPY_DST);
  const result = await gpu.createBuffer(
    `${kernel.name} result`,
    4 * multiplyAddInvocations(shape),
    STORAGE | COPY_SRC,
  );
  try {
    gpu.device.queue.writeBuffer(factors, 0, new Float32Array([1, 1]));
    const prepared = await gpu.prepare(kernel, shape, "f32", [factors, result], kernel.name);
    const times: number[] = [];
    for (let index = 0; index < count; index += 1) {
      times.push(await timeKernel(gpu, prepared, timestamps));
    }
    checkAll(kernel.name, new Float32Array(await readBuffer(gpu, result)), expected(iterations));
    return times.toSorted((a, b) => a - b);
  } finally {
    gpu.destroyBuffer(factors);
    gpu.destroyBuffer(result);
  }
}

/** Counting is exact in f32 up to 2²⁴, so there is no tolerance. */
function checkAll(name: string, values: Float32Array, expected: number): void {
  const wrong = values.find((value) => value !== expected);
  if (wrong === undefined) return;
  throw new NumericsError(
    `${name} gives ${wrong} where ${expected} is right`,
    Math.abs(wrong - expected) / expected,
    0,
  );
}
