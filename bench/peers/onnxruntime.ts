// onnxruntime-node as contenders: its WebGPU provider, the same with its fused attention, and its CPU provider.

import type { InferenceSession, Tensor } from "onnxruntime-node";
import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import { bindToDriver } from "../../src/gpu/vulkan_driver.ts";
import type { Contender, PreparedTask } from "./contender.ts";
import { encodeModel, type OnnxTensor } from "./onnx_model.ts";
import { modelOf } from "./onnx_tasks.ts";
import { swapped } from "./operands.ts";
import type { Task } from "./tasks.ts";

type Ort = typeof import("onnxruntime-node");

export async function openOnnxRuntime(choice: AdapterChoice): Promise<Contender> {
  await bindToDriver(choice);
  const ort = await import("onnxruntime-node");
  return { prepare: (task) => prepareOnGpu(ort, task, false) };
}

/** With com.microsoft's MultiHeadAttention; computes nothing else. */
export async function openOnnxRuntimeFused(choice: AdapterChoice): Promise<Contender> {
  await bindToDriver(choice);
  const ort = await import("onnxruntime-node");
  return {
    prepare: async (task) => (task.op === "attention" ? prepareOnGpu(ort, task, true) : undefined),
  };
}

export async function openOnnxRuntimeCpu(): Promise<Contender> {
  const ort = await import("onnxruntime-node");
  return { prepare: (task) => prepareOnCpu(ort, task) };
}

const onGpu = {
  executionProviders: ["webgpu"],
  // An operator that the GPU cannot run is an error, not a quiet detour.
  extra: { session: { disable_cpu_ep_fallback: "1" } },
} as const;

/** Operands reach the GPU, and the result the host, by models of their own, so that no timed run moves them. */
async function prepareOnGpu(ort: Ort, task: Task, fused: boolean): Promise<PreparedTask> {
  const { graph, feeds } = modelOf(task, fused);
  const [output] = graph.outputs;
  if (output === undefined) throw new Error("the model has no output");
  const create = (model: Uint8Array, stays: boolean): Promise<InferenceSession> =>
    ort.InferenceSession.create(
      model,
      stays ? { ...onGpu, preferredOutputLocation: "gpu-buffer" } : onGpu,
    );
  const resident: Record<string, Tensor> = {};
  for (const { name, shape } of graph.inputs) {
    const upload = await create(copyModel({ name: "from", shape }), true);
    const from = new ort.Tensor("float32", feeds[name] ?? new Float32Array(), shape);
    resident[name] = only(await upload.run({ from }));
  }
  const compute = await create(encodeModel(graph), true);
  const download = await create(copyModel({ name: "from", shape: output.shape }), false);
  const witness = await create(firstModel(output.shape), false);
  let result: Tensor | undefined;
  return {
    async run(repeats) {
      for (let index = 0; index < repeats; index += 1) {
        result?.dispose();
        result = only(await compute.run(resident));
      }
      // The queue cannot be awaited, but a value that comes after everything else can.
      if (result !== undefined) await witness.run({ from: result });
    },
    async result() {
      if (result === undefined) throw new Error("nothing has run yet");
      return inOurLayout(task, fused, only(await download.run({ from: result })).data);
    },
    release: async () => {
      result?.dispose();
      for (const one of Object.values(resident)) one.dispose();
      await Promise.all([compute.release(), download.release(), witness.release()]);
    },
  };
}

async function prepareOnCpu(ort: Ort, task: Task): Promise<PreparedTask> {
  const { graph, feeds } = modelOf(task, false);
  const compute = await ort.InferenceSession.create(encodeModel(graph), {
    executionProviders: ["cpu"],
    extra: { session: { intra_op: { allow_spinning: "0" } } },
  });
  const tensors = Object.fromEntries(
    graph.inputs.map(({ name, shape }) => [
      name,
      new ort.Tensor("float32", feeds[name] ?? new Float32Array(), shape),
    ]),
  );
  let result: Tensor | undefined;
  return {
    async run(repeats) {
      for (let index = 0; index < repeats; index += 1) {
        result = only(await compute.run(tensors));
      }
    },
    result: async () => inOurLayout(task, false, result?.data),
    release: () => compute.release(),
  };
}

function copyModel(from: OnnxTensor): Uint8Array {
  return encodeModel({
    nodes: [{ op: "Identity", inputs: ["from"], outputs: ["to"] }],
    inputs: [from],
    outputs: [{ name: "to", shape: from.shape }],
  });
}

/** The first value of a tensor. */
function firstModel(shape: readonly number[]): Uint8Array {
  return encodeModel({
    nodes: [{ op: "Slice", inputs: ["from", "begin", "end", "axes"], outputs: ["to"] }],
    inputs: [{ name: "from", shape }],
    outputs: [{ name: "to", shape: shape.map(() => 1) }],
    constants: [
      { name: "begin", shape: [shape.length], values: BigInt64Array.from(shape, () => 0n) },
      { name: "end", shape: [shape.length], values: BigInt64Array.from(shape, () => 1n) },
      {
        name: "axes",
        shape: [shape.length],
        values: BigInt64Array.from(shape, (_, axis) => BigInt(axis)),
      },
    ],
  });
}

function only(outputs: Readonly<Record<string, Tensor>>): Tensor {
  const [tensor] = Object.values(outputs);
  if (tensor === undefined) throw new Error("the model gives no output");
  return tensor;
}

function inOurLayout(task: Task, fused: boolean, data: unknown): Float32Array {
  if (!(data instanceof Float32Array)) throw new Error("the model gives no f32");
  if (task.op !== "attention" || fused) return data;
  const shape = [task.heads, task.sequence, task.headDim];
  return swapped({ shape, values: Float32Array.from(data) }).values;
}
