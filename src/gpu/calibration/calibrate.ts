// Measures all of an adapter's ceilings.

import type { LogicalGpu } from "../logical_gpu.ts";
import { createTimestamps } from "../timestamps.ts";
import { measureMultiplyAdd } from "./arithmetic.ts";
import type { Calibration, CeilingRuns } from "./calibration.ts";
import { measureCosts } from "./costs.ts";
import { type KernelRate, kernelRates, type QuickLook, type RateVariants } from "./kernel_rates.ts";
import { measureMatrices } from "./matrices.ts";
import { measureStreaming, type StreamingBuffers } from "./memory.ts";
import type { Bench } from "./micro_kernel.ts";
import { streamedBytes } from "./streamed_bytes.ts";
import { measureTransfers } from "./transfers.ts";
import { measureWorkgroupReads } from "./workgroup_memory.ts";

/** For the rounds of one ceiling. */
const budgetMs = 250;

/**
 * Everything takes a few seconds on a software adapter, what kernels are held against a second or two. Throws
 * `NumericsError` when a kernel computes wrong.
 *
 * @param onPart called with what is measured so far
 */
export async function calibrate(
  gpu: LogicalGpu,
  scope: "everything" | "kernels",
  onPart: (part: Calibration) => void = () => undefined,
): Promise<Calibration> {
  const begin = performance.now();
  let found: Calibration = {
    version: 2,
    date: new Date().toISOString(),
    tookMs: 0,
    rates: {},
    costs: {},
  };
  const add = (more: Partial<Pick<Calibration, "rates" | "costs">>): void => {
    found = {
      ...found,
      tookMs: performance.now() - begin,
      rates: { ...found.rates, ...more.rates },
      costs: { ...found.costs, ...more.costs },
    };
    onPart(found);
  };
  return withBench(gpu, async (bench) => {
    const buffers = await streamingBuffers(bench);
    add({ rates: present({ f32: await measureMultiplyAdd(bench, "f32", budgetMs) }) });
    if (gpu.device.features.has("shader-f16")) {
      add({ rates: present({ f16: await measureMultiplyAdd(bench, "f16", budgetMs) }) });
    }
    add({ rates: present({ matrix: await measureMatrices(bench, budgetMs) }) });
    add({ rates: present(await measureStreaming(bench, buffers, budgetMs)) });
    if (scope === "kernels") return found;
    add({ rates: present({ workgroup: await measureWorkgroupReads(bench, budgetMs) }) });
    add({ rates: present(await measureTransfers(bench, buffers, budgetMs)) });
    add({ costs: await measureCosts(bench) });
    return found;
  });
}

/** Measures each by the one variant that is named; some tenths of a second. */
export async function lookQuickly(gpu: LogicalGpu, variants: RateVariants): Promise<QuickLook> {
  return withBench(gpu, async (bench) => {
    const { f32, f16, matrix, read, write, copy } = variants;
    const streamed = [read, write, copy].filter((variant) => variant !== undefined);
    const found: Partial<Record<KernelRate, CeilingRuns | undefined>> = {
      f32: f32 === undefined ? undefined : await measureMultiplyAdd(bench, "f32", 0, f32),
      f16: f16 === undefined ? undefined : await measureMultiplyAdd(bench, "f16", 0, f16),
      matrix: matrix === undefined ? undefined : await measureMatrices(bench, 0, matrix),
      ...(streamed.length === 0
        ? {}
        : await measureStreaming(bench, await streamingBuffers(bench), 0, streamed)),
    };
    const look: Partial<Record<KernelRate, readonly number[]>> = {};
    for (const name of kernelRates) {
      const runs = found[name]?.runs;
      if (runs !== undefined) look[name] = runs;
    }
    return look;
  });
}

/** What an adapter cannot do is absent. */
function present<Name extends string>(
  rates: Readonly<Record<Name, CeilingRuns | undefined>>,
): Partial<Record<Name, CeilingRuns>> {
  const found: Partial<Record<Name, CeilingRuns>> = {};
  for (const name in rates) {
    const ceiling = rates[name];
    if (ceiling !== undefined) found[name] = ceiling;
  }
  return found;
}

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
    streamedBytes(report.choice.software),
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
