// Runs a kernel on a test's GPU and has its result judged as a run judges it.

import { thorough } from "../../src/runtime/check/effort.ts";
import { checkKernel } from "../../src/runtime/check/check_kernel.ts";
import type { CheckView } from "../../src/runtime/check/view.ts";
import { type KernelCall, kernelOf } from "../../src/kernels/catalog.ts";
import { bindingsOf } from "../../src/kernels/kernel.ts";
import type { StorageType } from "../../src/kernels/storage.ts";
import type { KernelInstruction } from "../../src/program/program.ts";
import { originOf } from "../collectives/small_programs.ts";
import { testGpu } from "./gpu.ts";
import { asOnGpus } from "./kernel_variants.ts";
import { runKernel } from "./run_kernel.ts";
import { randomSource } from "./tensors.ts";

type Bytes = Readonly<Record<string, Uint8Array>>;

export interface CheckedRun {
  readonly results: Readonly<Record<string, ArrayBuffer>>;
  /** Largest error in shares of what the check accepts. */
  readonly worst: number;
  /** The same where one word of a result is another. */
  readonly spoilt: (name: string, word: number) => Promise<number>;
}

/** @param split as the adapter would run it, or as GPUs would, which software adapters take long to compile */
export async function checkedRun(
  call: KernelCall,
  dtype: StorageType,
  inputs: Bytes,
  outputs: Readonly<Record<string, number>>,
  split: "own" | "as on GPUs" = "own",
): Promise<CheckedRun> {
  const own = kernelOf(call);
  const kernel = split === "own" ? own : asOnGpus(own, call.shape);
  const results = await runKernel(await testGpu(), kernel, call.shape, dtype, inputs, outputs);
  const judge = async (changed: Bytes): Promise<number> =>
    judged(call, dtype, inputs, { ...bytesOf(results), ...changed });
  return {
    results,
    worst: await judge({}),
    async spoilt(name, word) {
      const bytes = new Uint8Array(results[name]?.slice(0) ?? new ArrayBuffer(0));
      const words = new Uint32Array(bytes.buffer);
      // The highest bit of an exponent, in f32 as in either of two halves: 0 becomes 2.
      words[word] = (words[word] ?? 0) ^ 0x4000_4000;
      return judge({ [name]: bytes });
    },
  };
}

function bytesOf(results: Readonly<Record<string, ArrayBuffer>>): Bytes {
  return Object.fromEntries(
    Object.entries(results).map(([name, bytes]) => [name, new Uint8Array(bytes)]),
  );
}

/** What the check of a run says of buffers: the results after it, and `inputs` before. */
async function judged(
  call: KernelCall,
  dtype: StorageType,
  inputs: Bytes,
  results: Bytes,
): Promise<number> {
  const bindings = bindingsOf(kernelOf(call), call.shape);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a call with what an instruction has besides
  const instruction = {
    ...call,
    op: "kernel",
    origin: originOf("test/0.kernel"),
    dtype,
    buffers: bindings.map(({ name }) => name),
  } as KernelInstruction;
  const held = (id: string): Uint8Array => results[id] ?? inputs[id] ?? new Uint8Array();
  const view: CheckView = {
    rank: 0,
    bytesOf: (id) => held(id).length,
    dtypeOf: () => dtype,
    read: async (id, ranges) =>
      new Uint8Array(
        Buffer.concat(ranges.map(({ offset, bytes }) => held(id).slice(offset, offset + bytes))),
      ).slice(),
    compute: async () => undefined,
    before: (id) => inputs[id]?.slice(),
    pause: async () => {},
    random: randomSource(7),
    effort: thorough,
  };
  const coverage = await checkKernel(instruction, view, new Map());
  if (coverage === undefined) throw new Error(`${call.kernel} has no check`);
  return coverage.deviation.worst;
}
