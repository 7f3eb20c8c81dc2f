// What it costs to give the GPU something to do, however little it is.

import { NumericsError } from "../../numerics_error.ts";
import { type Kernel, write } from "../../kernels/kernel.ts";
import type { LogicalGpu, PreparedKernel } from "../logical_gpu.ts";
import { readBuffer } from "../read_back.ts";
import { hostMs } from "../timestamps.ts";
import type { CeilingRuns, CalibratedCost } from "./calibration.ts";
import type { Bench } from "./micro_kernel.ts";

const count: Kernel<Readonly<Record<string, never>>> = {
  name: "calibration/count",
  bindings: [write("counter", "u32")],
  constants: () => ({}),
  grid: () => [1, 1, 1],
  flops: () => 0,
  bytes: () => 8,
};

const rounds = 11;
const dispatches = 200;
const submissions = 50;
const roundTrips = 31;

type Costs = Readonly<Partial<Record<CalibratedCost, CeilingRuns>>>;

/** Each dispatch awaits the one before: they count in the same word, and the sum is checked. */
export async function measureCosts(bench: Bench): Promise<Costs> {
  const { gpu, timestamps } = bench;
  const counter = await bench.buffer("counter", 4);
  const prepared = await gpu.prepare(count, {}, "f32", [counter], count.name);
  const dispatch: number[] = [];
  const encode: number[] = [];
  const submit: number[] = [];
  let counted = 0;
  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    const begin = hostMs();
    const commands = encodePass(gpu, prepared, dispatches, timestamps?.passDescriptor(0));
    const encoded = hostMs();
    gpu.device.queue.submit([commands]);
    await gpu.device.queue.onSubmittedWorkDone();
    const doneMs = hostMs() - encoded;
    const [start = 0, end = 0] = (await timestamps?.read(1)) ?? [];
    const small = Array.from({ length: submissions }, () => encodePass(gpu, prepared, 1));
    const before = hostMs();
    for (const one of small) gpu.device.queue.submit([one]);
    await gpu.device.queue.onSubmittedWorkDone();
    const after = hostMs();
    counted += dispatches + submissions;
    if (round === 0) continue;
    dispatch.push((end > start ? end - start : doneMs) / dispatches);
    encode.push((encoded - begin) / dispatches);
    submit.push((after - before) / submissions);
  }
  const [found] = new Uint32Array(await readBuffer(gpu, counter));
  if (found !== counted) {
    throw new NumericsError(`${counted} dispatches counted to ${found}`, 1, 0);
  }
  return {
    dispatch: cost(`${dispatches} in one pass`, dispatch),
    encode: cost(`${dispatches} in one pass`, encode),
    submit: cost(`${submissions} in a row`, submit),
    roundTrip: cost("a copy of 4 bytes", await timeRoundTrips(gpu)),
  };
}

function cost(variant: string, runs: readonly number[]): CeilingRuns {
  return { variant, runs, others: {} };
}

function encodePass(
  gpu: LogicalGpu,
  prepared: PreparedKernel,
  times: number,
  descriptor: GPUComputePassDescriptor = {},
): GPUCommandBuffer {
  const encoder = gpu.device.createCommandEncoder({ label: prepared.label });
  const pass = encoder.beginComputePass({ label: prepared.label, ...descriptor });
  for (let index = 0; index < times; index += 1) prepared.encode(pass);
  pass.end();
  return encoder.finish();
}

async function timeRoundTrips(gpu: LogicalGpu): Promise<number[]> {
  const { COPY_DST, COPY_SRC, MAP_READ } = GPUBufferUsage;
  const source = await gpu.createBuffer("round trip source", 4, COPY_SRC);
  const staging = await gpu.createBuffer("round trip staging", 4, COPY_DST | MAP_READ);
  try {
    const times: number[] = [];
    for (let index = 0; index <= roundTrips; index += 1) {
      const before = hostMs();
      const encoder = gpu.device.createCommandEncoder({ label: staging.label });
      encoder.copyBufferToBuffer(source, 0, staging, 0, 4);
      gpu.device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ);
      const after = hostMs();
      staging.unmap();
      if (index > 0) times.push(after - before);
    }
    return times;
  } finally {
    gpu.destroyBuffer(source);
    gpu.destroyBuffer(staging);
  }
}
