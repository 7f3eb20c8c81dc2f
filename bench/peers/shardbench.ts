// Shardbench itself as a contender: the kernels that a run dispatches, prepared as a run prepares them.

import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import type { LogicalGpu, PreparedKernel } from "../../src/gpu/logical_gpu.ts";
import { openGpu } from "../../src/gpu/open.ts";
import { patiently } from "../../src/gpu/patience.ts";
import { readBuffer } from "../../src/gpu/read_back.ts";
import { type KernelCall, kernelOf } from "../../src/kernels/catalog.ts";
import type { Variant } from "../../src/kernels/variant.ts";
import type { Kernel } from "../../src/kernels/kernel.ts";
import type { BoundCall } from "../../src/tuning/scratch.ts";
import { prefixSums } from "../../test/support/prefix_sums.ts";
import {
  decode,
  encode,
  encodeIds,
  type Tensor,
  tensor,
  tensorBytes,
} from "../../test/support/tensors.ts";
import { tunedVariant } from "../tuned_variant.ts";
import type { Contender, PreparedTask } from "./contender.ts";
import { type Operand, operand, operandsOf } from "./operands.ts";
import { epsilon, type Task } from "./tasks.ts";

export async function openShardbench(choice: AdapterChoice): Promise<Contender> {
  const gpu = await openGpu(choice);
  return { prepare: (task) => prepare(gpu, task, () => Promise.resolve(undefined)) };
}

export async function openShardbenchTuned(choice: AdapterChoice): Promise<Contender> {
  const gpu = await openGpu(choice);
  return { prepare: (task) => prepare(gpu, task, (call) => tunedVariant(gpu, call)) };
}

/** Kernel calls in order, with the buffers that they bind by name. */
interface Recipe {
  readonly inputs: Readonly<Record<string, Uint8Array>>;
  /** Rows and columns of buffers that kernels write; the last is the result. */
  readonly written: Readonly<Record<string, readonly [rows: number, columns: number]>>;
  readonly calls: readonly (readonly [KernelCall, readonly string[]])[];
}

function recipeOf(task: Task): Recipe {
  const operands = operandsOf(task);
  const padded = (name: string): Uint8Array => encode(rowsOf(operand(operands, name)), "f32");
  switch (task.op) {
    case "matmul": {
      const { m, n, k } = task;
      return {
        inputs: { x: padded("x"), w: padded("w") },
        written: { y: [m, n] },
        calls: [[{ kernel: "matmul", shape: { m, n, k, activation: "none" } }, ["x", "w", "y"]]],
      };
    }
    case "experts": {
      const { experts, hidden, ffn } = task;
      const rows = experts * task.rows;
      const offsets = prefixSums(Array.from({ length: experts }, () => task.rows));
      const shape = { experts, rows, expectedRows: rows };
      return {
        inputs: {
          x: padded("x"),
          up: padded("up"),
          down: padded("down"),
          offsets: encodeIds(offsets),
        },
        written: { inner: [rows, ffn], y: [rows, hidden] },
        calls: [
          [
            {
              kernel: "grouped_matmul",
              shape: { ...shape, k: hidden, n: ffn, activation: "relu" },
            },
            ["x", "up", "offsets", "inner"],
          ],
          [
            {
              kernel: "grouped_matmul",
              shape: { ...shape, k: ffn, n: hidden, activation: "none" },
            },
            ["inner", "down", "offsets", "y"],
          ],
        ],
      };
    }
    case "attention": {
      const { sequence, heads, headDim, causal } = task;
      const columns = heads * headDim;
      const packed = new Float64Array(3 * sequence * columns);
      for (const [part, name] of ["q", "k", "v"].entries()) {
        const { values } = operand(operands, name);
        for (let row = 0; row < sequence; row += 1) {
          packed.set(
            values.subarray(row * columns, (row + 1) * columns),
            (3 * row + part) * columns,
          );
        }
      }
      return {
        inputs: { qkv: encode(tensor(sequence, 3 * columns, packed), "f32") },
        written: { y: [sequence, columns] },
        calls: [
          [
            {
              kernel: "attention",
              shape: { batch: 1, sequence, heads, kvHeads: heads, headDim, causal },
            },
            ["qkv", "y"],
          ],
        ],
      };
    }
    case "rms_norm": {
      const { rows, columns } = task;
      return {
        inputs: { x: padded("x"), gain: padded("gain") },
        written: { y: [rows, columns] },
        calls: [[{ kernel: "rms_norm", shape: { rows, columns, epsilon } }, ["x", "gain", "y"]]],
      };
    }
  }
}

/** All but the last dimension become rows. */
function rowsOf({ shape, values }: Operand): Tensor {
  const columns = shape.at(-1) ?? 1;
  return tensor(values.length / columns, columns, values);
}

async function prepare(
  gpu: LogicalGpu,
  task: Task,
  variantOf: (call: BoundCall<object>) => Promise<Variant | undefined>,
): Promise<PreparedTask> {
  const { inputs, written, calls } = recipeOf(task);
  const { STORAGE, COPY_SRC, COPY_DST } = GPUBufferUsage;
  const buffers = new Map<string, GPUBuffer>();
  for (const [name, bytes] of Object.entries(inputs)) {
    const buffer = await gpu.createBuffer(name, bytes.byteLength, STORAGE | COPY_DST);
    gpu.device.queue.writeBuffer(buffer, 0, bytes);
    buffers.set(name, buffer);
  }
  for (const [name, [rows, columns]] of Object.entries(written)) {
    const bytes = tensorBytes(rows, columns, "f32");
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
  const prepared: PreparedKernel[] = [];
  for (const [call, names] of calls) {
    const kernel = kernelOf(call) as Kernel<object>;
    const { shape, kernel: label } = call;
    const bound = { kernel, shape, dtype: "f32", buffers: names.map(named), label } as const;
    const variant = await variantOf(bound);
    prepared.push(await gpu.prepare(kernel, shape, "f32", bound.buffers, label, variant));
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
    async result() {
      const [name, [rows, columns]] = Object.entries(written).at(-1) ?? ["", [0, 0]];
      const { values } = decode(await readBuffer(gpu, named(name)), rows, columns, "f32");
      return Float32Array.from(values);
    },
    release: async () => {
      for (const buffer of buffers.values()) gpu.destroyBuffer(buffer);
    },
  };
}
