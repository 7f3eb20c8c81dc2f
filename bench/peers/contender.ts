// What a contender is to the race: something that takes a task and runs it as often as it is told.

import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import type { Task } from "./tasks.ts";

export interface Contender {
  /** Undefined where it has no way to compute the task. */
  prepare(task: Task): Promise<PreparedTask | undefined>;
}

export interface PreparedTask {
  /** Runs the task `repeats` times; resolves when the adapter has finished all of them. */
  run(repeats: number): Promise<void>;
  /** Of the last run, row-major without padding; attention as [sequence, heads, headDim]. */
  result(): Promise<Float32Array>;
  release(): Promise<void>;
}

export type OpenContender = (choice: AdapterChoice) => Promise<Contender>;

/** What the time of a run holds besides the kernels; printed with every result. */
export const timingNotes = {
  shardbench:
    "untuned, as a run with --no-tune; operands and result stay on the GPU; the runs of a sample are one submission, which is awaited",
  "shardbench-tuned":
    "as shardbench, each kernel in the variant that tuning finds on this adapter, which takes no part in the time",
  "jax-js":
    "jit-compiled; operands and result stay on the GPU; runs are dispatched one by one, and all are awaited",
  onnxruntime:
    "WebGPU provider, in a Dawn of its own on the same driver; weights are constants of the model, operands and result stay on the GPU; runs one by one, then one value of the last result is read back",
  "onnxruntime-fused": "as onnxruntime, with its fused MultiHeadAttention",
  tfjs: "operands and result stay on the GPU; runs are encoded one by one, then submitted and awaited",
  "onnxruntime-cpu":
    "CPU provider, no WebGPU: for the record, never the best peer; idle threads do not spin",
} as const;

export type ContenderName = keyof typeof timingNotes;

/** Ours: in every race. */
export const ownNames: readonly ContenderName[] = ["shardbench", "shardbench-tuned"];

/** In no comparison of peers on the adapter. */
export const recordOnly: ContenderName = "onnxruntime-cpu";

export const contenderNames = Object.keys(timingNotes) as ContenderName[];
