// @tensorflow/tfjs-backend-webgpu as a contender.

import type { Tensor } from "@tensorflow/tfjs-core";
import { patiently } from "../../src/gpu/patience.ts";
import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import type { Contender, PreparedTask } from "./contender.ts";
import { causalMask, type Operand, operand, operandsOf, swapped } from "./operands.ts";
import { provideNavigator } from "./shared_dawn.ts";
import { epsilon, type Task } from "./tasks.ts";

type Tfjs = typeof import("@tensorflow/tfjs-core");

/** What its backend offers besides its public interface. */
interface WebGpuBackend {
  readonly queue: GPUQueue;
  endComputePassEncoder(): void;
  submitQueue(): void;
  ensureCommandEncoderReady(): void;
}

export async function openTfjs(choice: AdapterChoice): Promise<Contender> {
  await provideNavigator(choice);
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-webgpu");
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs finds no WebGPU");
  await tf.ready();
  return { prepare: (task) => prepare(tf, task) };
}

async function prepare(tf: Tfjs, task: Task): Promise<PreparedTask> {
  const backend = tf.backend() as WebGpuBackend;
  const tensors: Tensor[] = [];
  const upload = ({ shape, values }: Operand): Tensor => {
    const made = tf.tensor(values, shape);
    tensors.push(made);
    return made;
  };
  const compute = functionOf(tf, task, upload);
  let result: Tensor | undefined;
  return {
    async run(repeats) {
      for (let index = 0; index < repeats; index += 1) {
        result?.dispose();
        result = tf.tidy(compute);
      }
      // Else the dispatches stay in an open pass and nothing is submitted.
      backend.ensureCommandEncoderReady();
      backend.endComputePassEncoder();
      backend.submitQueue();
      await patiently(backend.queue.onSubmittedWorkDone());
    },
    async result() {
      if (result === undefined) throw new Error("nothing has run yet");
      const values = await result.data();
      if (task.op !== "attention") return values;
      const shape = [task.heads, task.sequence, task.headDim];
      return swapped({ shape, values: Float32Array.from(values) }).values;
    },
    release: async () => {
      result?.dispose();
      for (const one of tensors) one.dispose();
    },
  };
}

function functionOf(tf: Tfjs, task: Task, upload: (operand: Operand) => Tensor): () => Tensor {
  const operands = operandsOf(task);
  const named = (name: string): Tensor => upload(operand(operands, name));
  switch (task.op) {
    case "matmul": {
      const [x, w] = [named("x"), named("w")];
      return () => tf.matMul(x, w);
    }
    case "experts": {
      const [x, up, down] = [named("x"), named("up"), named("down")];
      return () => tf.matMul(tf.fused.matMul({ a: x, b: up, activation: "relu" }), down);
    }
    case "attention": {
      const [q, k, v] = ["q", "k", "v"].map((name) => upload(swapped(operand(operands, name))));
      const mask = task.causal ? upload(causalMask(task.sequence)) : undefined;
      return () => {
        if (q === undefined || k === undefined || v === undefined) throw new Error("no operands");
        const scores = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(task.headDim));
        return tf.matMul(tf.softmax(mask === undefined ? scores : tf.add(scores, mask)), v);
      };
    }
    case "attend_cache": {
      const [q, k, v] = [named("q"), named("k"), named("v")];
      const scale = 1 / Math.sqrt(task.headDim);
      return () => tf.matMul(tf.softmax(tf.mul(tf.matMul(q, k, false, true), scale)), v);
    }
    case "routing": {
      const x = named("x");
      return () => tf.softmax(tf.topk(x, task.topK).values);
    }
    case "softmax": {
      const x = named("x");
      return () => tf.softmax(x);
    }
    case "rms_norm": {
      const [x, gain] = [named("x"), named("gain")];
      return () =>
        tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), epsilon))), gain);
    }
  }
}
