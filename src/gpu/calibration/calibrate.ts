// Measures all of an adapter's ceilings.

import type { LogicalGpu } from "../logical_gpu.ts";
import { createTimestamps } from "../timestamps.ts";
import { measureMultiplyAdd } from "./arithmetic.ts";
import type { Calibration, Ceiling } from "./calibration.ts";
import { measureCosts } from "./costs.ts";
import { measureMatrices } from "./matrices.ts";
import { measureStreaming, type StreamingBuffers } from "./memory.ts";
import type { Bench } from "./micro_kernel.ts";
import { measureTransfers } from "./transfers.ts";
import { measureWorkgroupReads } from "./workgroup_memory.ts";

const mebibyte = 2 ** 20;
// Beyond the caches of a hardware GPU, which keeps up to 50 MB close by; a software adapter loads so slowly
// that it makes no difference to it.
const softwareBytes = 8 * mebibyte;
const hardwareBytes = 256 * mebibyte;

/** For the rounds of one ceiling. */
const budgetMs = 250;

/**
 * Everything takes a few seconds on a software adapter, what kernels are held against a second or two. Throws
 * `NumericsError` when a kernel computes wrong.
 */
export async function calibrate(
  gpu: LogicalGpu,
  scope: "everything" | "kernels",
): Promise<Calibration> {
  const date = new Date().toISOString();
  const begin = performance.now();
  return withBench(gpu, async (bench) => {
    const buffers = await streamingBuffers(bench);
    const kernels = {
      f32: await measureMultiplyAdd(bench, "f32", budgetMs),
      f16: gpu.device.features.has("shader-f16")
        ? await measureMultiplyAdd(bench, "f16", budgetMs)
        : undefined,
      matrix: await measureMatrices(bench, budgetMs),
      ...(await measureStreaming(bench, buffers, budgetMs)),
    };
    const rest =
      scope === "kernels"
        ? {}
        : {
            workgroup: await measureWorkgroupReads(bench, budgetMs),
            ...(await measureTransfers(bench, buffers, budgetMs)),
          };
    const costs = scope === "kernels" ? {} : await measureCosts(bench);
    return {
      version: 1,
      date,
      tookMs: performance.now() - begin,
      rates: present({ ...kernels, ...rest }),
      costs,
    };
  });
}

/** What a short measurement reaches, as a share of a calibration. */
export interface QuickLook {
  readonly f32: number;
  readonly copy: number;
}

/** Measures again by the forms that were the fastest; some tenths of a second. */
export async function lookQuickly(gpu: LogicalGpu, { rates }: Calibration): Promise<QuickLook> {
  return withBench(gpu, async (bench) => {
    const share = (then: Ceiling | undefined, now: Ceiling | undefined): number =>
      then === undefined || now === undefined ? Number.NaN : bestOf(now) / bestOf(then);
    const f32 = await measureMultiplyAdd(bench, "f32", 0, rates.f32?.form);
    const buffers = await streamingBuffers(bench);
    const { copy } = await measureStreaming(bench, buffers, 0, rates.copy?.form);
    return { f32: share(rates.f32, f32), copy: share(rates.copy, copy) };
  });
}

const bestOf = ({ runs }: Ceiling): number => Math.max(...runs);

/** What an adapter cannot do is absent. */
const present = <Name extends string>(
  rates: Readonly<Record<Name, Ceiling | undefined>>,
): Partial<Record<Name, Ceiling>> => {
  const found: Partial<Record<Name, Ceiling>> = {};
  for (const name in rates) {
    const ceiling = rates[name];
    if (ceiling !== undefined) found[name] = ceiling;
  }
  return found;
};

async function withBench<Result>(
  gpu: LogicalGpu,
  work: (bench: Bench) => Promise<Result>,
): Promise<Result> {
  const { STORAGE, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const buffers: GPUBuffer[] = [];
  const timestamps = await createTimestamps(gpu, 1);
  try {
    return await work({
      gpu,
      timestamps,
      async buffer(role, bytes) {
        const usage = STORAGE | COPY_DST | COPY_SRC;
        const buffer = await gpu.createBuffer(`calibration ${role}`, bytes, usage);
        buffers.push(buffer);
        return buffer;
      },
    });
  } finally {
    timestamps?.destroy();
    for (const buffer of buffers) gpu.destroyBuffer(buffer);
  }
}

async function streamingBuffers(bench: Bench): Promise<StreamingBuffers> {
  const { report, device } = bench.gpu;
  const bytes = Math.min(
    report.choice.software ? softwareBytes : hardwareBytes,
    device.limits.maxStorageBufferBindingSize,
    device.limits.maxBufferSize,
  );
  const sent = new Uint32Array(Math.floor(bytes / 4096) * 1024);
  // A pattern that no other place repeats.
  for (let index = 0; index < sent.length; index += 1) sent[index] = Math.imul(index, 0x9e3779b1);
  const x = await bench.buffer("x", sent.byteLength);
  const y = await bench.buffer("y", sent.byteLength);
  device.queue.writeBuffer(x, 0, sent);
  return { x, y, sent };
}
