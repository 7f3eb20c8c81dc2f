// Shardbench itself as a contender: the kernels that a run dispatches, prepared as a run prepares them.

import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import type { LogicalGpu, PreparedKernel } from "../../src/gpu/logical_gpu.ts";
import { openGpu } from "../../src/gpu/open.ts";
import { patiently } from "../../src/gpu/patience.ts";
import { readBuffer } from "../../src/gpu/read_back.ts";
import { kernelOf } from "../../src/kernels/catalog.ts";
import type { Variant } from "../../src/kernels/variant.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import type { BoundCall } from "../../src/tuning/scratch.ts";
import { decode, tensorBytes } from "../../test/support/tensors.ts";
import { tunedVariant } from "../tuned_variant.ts";
import type { Contender, PreparedTask } from "./contender.ts";
import { recipeOf } from "./recipes.ts";
import type { Task } from "./tasks.ts";

export async function openShardbench(choice: AdapterChoice): Promise<Contender> {
  const gpu = await openGpu(choice);
  return { prepare: (task) => prepare(gpu, task, () => Promise.resolve(undefined)) };
}

export async function openShardbenchTuned(choice: AdapterChoice): Promise<Contender> {
  const gpu = await openGpu(choice);
  return { prepare: (task) => prepare(gpu, task, (call) => tunedVariant(gpu, call)) };
}

/** A task's kernels bound to buffers that hold its operands. */
export interface BoundTask {
  readonly calls: readonly BoundCall<object>[];
  result(): Promise<Float32Array>;
  release(): void;
}

export async function bindTask(gpu: LogicalGpu, task: Task): Promise<BoundTask> {
  const { inputs, tables = {}, written, calls } = recipeOf(task);
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const buffers = new Map<string, GPUBuffer>();
  for (const [name, bytes] of Object.entries(inputs)) {
    const buffer = await gpu.createBuffer(name, bytes.byteLength, STORAGE | COPY_DST);
    gpu.device.queue.writeBuffer(buffer, 0, bytes);
    buffers.set(name, buffer);
  }
  const sizes = [
    ...Object.entries(tables).map(([name, words]) => [name, 4 * words] as const),
    ...Object.entries(written).map(
      ([name, [rows, columns]]) => [name, tensorBytes(rows, columns, "f32")] as const,
    ),
  ];
  for (const [name, bytes] of sizes) {
    const buffer = await gpu.createBuffer(name, bytes, STORAGE | COPY_SRC | COPY_DST);
    // What a kernel fails to write is seen.
    gpu.device.queue.writeBuffer(buffer, 0, new Uint8Array(bytes).fill(0xff));
    buffers.set(name, buffer);
  }
  const named = (name: string): GPUBuffer => {
    const buffer = buffers.get(name);
    if (buffer === undefined) throw new Error(`no call has made ${name}`);
    return buffer;
  };
  return {
    calls: calls.map(([call, names]) => ({
      kernel: kernelOf(call) as Kernel<object>,
      shape: call.shape,
      dtype: "f32",
      buffers: names.map(named),
      label: call.kernel,
    })),
    async result() {
      const name = calls.at(-1)?.[1].at(-1) ?? "";
      const bytes = await readBuffer(gpu, named(name));
      const size = written[name];
      if (size === undefined) return new Float32Array(bytes);
      return Float32Array.from(decode(bytes, ...size, "f32").values);
    },
    release() {
      for (const buffer of buffers.values()) gpu.destroyBuffer(buffer);
    },
  };
}

async function prepare(
  gpu: LogicalGpu,
  task: Task,
  variantOf: (call: BoundCall<object>) => Promise<Variant | undefined>,
): Promise<PreparedTask> {
  const bound = await bindTask(gpu, task);
  const prepared: PreparedKernel[] = [];
  for (const call of bound.calls) {
    const { kernel, shape, dtype, buffers, label } = call;
    prepared.push(await gpu.prepare(kernel, shape, dtype, buffers, label, await variantOf(call)));
  }
  return {
    async run(repeats) {
      const encoder = gpu.device.createCommandEncoder({ label: task.op });
      const pass = encoder.beginComputePass({ label: task.op });
      for (let index = 0; index < repeats; index += 1) {
        for (const kernel of prepared) kernel.encode(pass);
      }
      pass.end();
      gpu.device.queue.submit([encoder.finish()]);
      await patiently(gpu.device.queue.onSubmittedWorkDone());
      gpu.check();
    },
    result: async () => bound.result(),
    release: async () => {
      bound.release();
    },
  };
}
