// @jax-js/jax as a contender.

import type { Array as JaxArray } from "@jax-js/jax";
import { patiently } from "../../src/gpu/patience.ts";
import type { AdapterChoice } from "../../src/gpu/adapter.ts";
import type { Contender, PreparedTask } from "./contender.ts";
import { lastSwapped, type Operand, operand, operandsOf } from "./operands.ts";
import { provideNavigator } from "./shared_dawn.ts";
import { epsilon, type Task } from "./tasks.ts";

type Jax = typeof import("@jax-js/jax");

export async function openJaxJs(choice: AdapterChoice): Promise<Contender> {
  await provideNavigator(choice);
  // Node 20 has no iterator helpers, and jax-js does not do without.
  await import("core-js/actual/iterator/index.js");
  const jax = await import("@jax-js/jax");
  const devices = await jax.init("webgpu");
  if (!devices.includes("webgpu")) throw new Error("jax-js finds no WebGPU");
  jax.defaultDevice("webgpu");
  return { prepare: (task) => prepare(jax, task) };
}

async function prepare(jax: Jax, task: Task): Promise<PreparedTask | undefined> {
  const plain = functionOf(jax, task);
  if (plain === undefined) return undefined;
  const compute = jax.jit(plain);
  const operands = Object.values(layoutOf(task)).map(({ shape, values }) =>
    jax.numpy.array(values, { shape }),
  );
  // All of a sample's: a result that is disposed of before it is submitted is never computed.
  let results: JaxArray[] = [];
  return {
    async run(repeats) {
      for (const one of results) one.dispose();
      results = Array.from({ length: repeats }, () => compute(...operands.map(({ ref }) => ref)));
      await patiently(jax.blockUntilReady(results));
      await patiently(jax.getWebGPUDevice().queue.onSubmittedWorkDone());
    },
    async result() {
      const last = results.at(-1);
      if (last === undefined) throw new Error("nothing has run yet");
      return last.ref.data();
    },
    release: async () => {
      for (const one of [...results, ...operands]) one.dispose();
    },
  };
}

/** Cached keys are given as [heads, headDim, keys], so that no run transposes them. */
function layoutOf(task: Task): Record<string, Operand> {
  const operands = operandsOf(task);
  if (task.op !== "attend_cache") return operands;
  return { ...operands, k: lastSwapped(operand(operands, "k")) };
}

/** Of the operands in the order of `operandsOf`. Undefined where it has no operation for it. */
function functionOf(
  { numpy, nn }: Jax,
  task: Task,
): ((...operands: JaxArray[]) => JaxArray) | undefined {
  switch (task.op) {
    case "matmul":
      return binary((x, w) => numpy.matmul(x, w));
    case "experts":
      return ternary((x, up, down) => numpy.matmul(nn.relu(numpy.matmul(x, up)), down));
    case "attention":
      return ternary((q, k, v) => nn.dotProductAttention(q, k, v, { isCausal: task.causal }));
    case "attend_cache":
      return ternary((q, k, v) => {
        const scores = numpy.matmul(q, k).mul(1 / Math.sqrt(task.headDim));
        return numpy.matmul(nn.softmax(scores, -1), v);
      });
    case "softmax":
      return unary((x) => nn.softmax(x, -1));
    case "routing":
      return undefined;
    case "rms_norm":
      return binary((x, gain) => {
        const meanSquare = numpy.mean(numpy.square(x.ref), -1, { keepdims: true });
        return x.div(numpy.sqrt(meanSquare.add(epsilon))).mul(gain);
      });
  }
}

function missing(): never {
  throw new Error("an operand is missing");
}

function unary(compute: (a: JaxArray) => JaxArray) {
  return (a?: JaxArray): JaxArray => compute(a ?? missing());
}

function binary(compute: (a: JaxArray, b: JaxArray) => JaxArray) {
  return (a?: JaxArray, b?: JaxArray): JaxArray => compute(a ?? missing(), b ?? missing());
}

function ternary(compute: (a: JaxArray, b: JaxArray, c: JaxArray) => JaxArray) {
  return (a?: JaxArray, b?: JaxArray, c?: JaxArray): JaxArray =>
    compute(a ?? missing(), b ?? missing(), c ?? missing());
}
