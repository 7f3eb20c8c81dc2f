// Process of one contender: opens it on the adapter it is told, then does as its parent asks. It runs apart
// so that the CPU time of the process is the contender's own, and so that it may crash alone.

import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import { messageOf } from "../../src/gpu/message_of.ts";
import type { Contender, ContenderName, OpenContender, PreparedTask } from "./contender.ts";
import type { Answer, Question, Sample } from "./contender_client.ts";

// Each peer is imported by its own process only.
const openers: Record<ContenderName, () => Promise<OpenContender>> = {
  shardbench: async () => (await import("./shardbench.ts")).openShardbench,
  "shardbench-tuned": async () => (await import("./shardbench.ts")).openShardbenchTuned,
  "jax-js": async () => (await import("./jax_js.ts")).openJaxJs,
  onnxruntime: async () => (await import("./onnxruntime.ts")).openOnnxRuntime,
  "onnxruntime-fused": async () => (await import("./onnxruntime.ts")).openOnnxRuntimeFused,
  tfjs: async () => (await import("./tfjs.ts")).openTfjs,
  "onnxruntime-cpu": async () => (await import("./onnxruntime.ts")).openOnnxRuntimeCpu,
};

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const [name = "", choice = ""] = process.argv.slice(2);
let prepared: PreparedTask | undefined;

async function openContender(): Promise<Contender> {
  try {
    const open = await openers[name as ContenderName]();
    return await open(JSON.parse(choice) as AdapterChoice);
  } catch (error) {
    process.send?.({ failure: messageOf(error) } satisfies Answer, () => process.exit(1));
    return new Promise<never>(() => {});
  }
}

async function timed(task: PreparedTask, repeats: number): Promise<Sample> {
  const cpuBefore = cpuMs();
  const before = performance.now();
  await task.run(repeats);
  return {
    wallMs: (performance.now() - before) / repeats,
    cpuMs: (cpuMs() - cpuBefore) / repeats,
  };
}

async function answer(contender: Contender, question: Question): Promise<Answer> {
  switch (question.kind) {
    case "prepare":
      prepared = await contender.prepare(question.task);
      await prepared?.run(1);
      return prepared === undefined ? {} : { result: await prepared.result() };
    case "run":
      if (prepared === undefined) throw new Error("there is no task to run");
      return { sample: await timed(prepared, question.repeats) };
    case "release":
      await prepared?.release();
      prepared = undefined;
      return {};
  }
}

const contender = await openContender();
process.on("message", (question: Question) => {
  void answer(contender, question)
    .catch((error: unknown): Answer => ({ failure: messageOf(error) }))
    .then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit(0));
process.send?.({});
