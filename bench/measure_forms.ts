// Times every form of a kernel at one shape, in turn, after checking what each computes.

import type { LogicalGpu, PreparedKernel } from "../src/gpu/logical_gpu.ts";
import { readBuffer } from "../src/gpu/read_back.ts";
import { hostMs } from "../src/gpu/timestamps.ts";
import { formOf } from "../src/kernels/form.ts";
import { median, medianInterval } from "../src/measure/statistics.ts";
import { formKernels } from "../test/support/forms.ts";
import { randomSource } from "../test/support/tensors.ts";
import type { KernelCase } from "./kernel_cases.ts";

export interface FormFigures {
  readonly name: string;
  /** `prepare` takes it on this adapter at this shape. */
  readonly chosen: boolean;
  /** Of the pipeline, up to its first run. */
  readonly compileMs: number;
  readonly flopsPerSecond: number;
  /** Per round, how many times as fast as the kernel's own shader; median and 95 % interval. */
  readonly ratio: number;
  readonly ratioInterval: readonly [low: number, high: number] | undefined;
}

const rounds = 9;
// Long enough for the clock and for what a submission costs.
const sampleMs = 20;

/** CPU time of all threads on a software adapter, which other load does not touch; else wall time. */
const clockOf = (gpu: LogicalGpu) => (): number => {
  if (!gpu.report.choice.software) return hostMs();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

export async function measureForms<Shape>(
  gpu: LogicalGpu,
  { kernel, shape, inputs, outputBytes, errors }: KernelCase<Shape>,
): Promise<FormFigures[]> {
  const clock = clockOf(gpu);
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffers: GPUBuffer[] = [];
  for (const { name } of kernel.bindings) {
    const bytes = inputs[name] as Uint8Array<ArrayBuffer> | undefined;
    const buffer = await gpu.createBuffer(name, bytes?.byteLength ?? outputBytes, usage);
    if (bytes !== undefined) gpu.device.queue.writeBuffer(buffer, 0, bytes);
    buffers.push(buffer);
  }
  const output = buffers.at(-1);
  if (output === undefined) throw new Error(`${kernel.name} has no bindings`);
  const timed = async (prepared: PreparedKernel, repeats: number): Promise<number> => {
    const begin = clock();
    await submit(gpu, prepared, repeats);
    return (clock() - begin) / repeats;
  };

  const candidates = [];
  for (const form of formKernels(kernel, shape, gpu.report, "f32")) {
    gpu.device.queue.writeBuffer(output, 0, new Uint8Array(outputBytes).fill(0xff));
    const begin = clock();
    // One workgroup: some drivers compile when a pipeline first runs.
    const first = { ...form, grid: () => [1, 1, 1] as const };
    await submit(gpu, await gpu.prepare(first, shape, "f32", buffers, form.name), 1);
    const compileMs = clock() - begin;

    const prepared = await gpu.prepare(form, shape, "f32", buffers, form.name);
    await submit(gpu, prepared, 1);
    const [wrong] = errors(await readBuffer(gpu, output));
    if (wrong !== undefined) throw new Error(`${form.name} computes wrong: ${wrong}`);
    const onceMs = await timed(prepared, 1);
    const repeats = Math.max(1, Math.ceil(sampleMs / onceMs));
    candidates.push({ name: form.name, prepared, repeats, times: [] as number[], compileMs });
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const { prepared, repeats, times } of candidates)
      times.push(await timed(prepared, repeats));
  }
  for (const buffer of buffers) gpu.destroyBuffer(buffer);

  const own = candidates[0]?.times ?? [];
  const chosen = formOf(kernel, shape, gpu.report, "f32").name;
  return candidates.map(({ name, times, compileMs }) => {
    const ratios = times.map((time, round) => (own[round] ?? Number.NaN) / time);
    return {
      name,
      chosen: name === chosen,
      compileMs,
      flopsPerSecond: (kernel.flops(shape) / median(times)) * 1000,
      ratio: median(ratios),
      ratioInterval: medianInterval(ratios, randomSource(1)),
    };
  });
}

async function submit(gpu: LogicalGpu, kernel: PreparedKernel, repeats: number): Promise<void> {
  const encoder = gpu.device.createCommandEncoder({ label: kernel.label });
  const pass = encoder.beginComputePass({ label: kernel.label });
  for (let index = 0; index < repeats; index += 1) kernel.encode(pass);
  pass.end();
  gpu.device.queue.submit([encoder.finish()]);
  await gpu.device.queue.onSubmittedWorkDone();
  gpu.check();
}
