// Kernels and copies recorded before their turn, several at once. Between two long kernels of a software GPU,
// which leaves the caches to nobody else, a call of WebGPU takes the host four times as long as right after
// another; of calls in a row only the first do.

import type { PreparedKernel } from "../gpu/logical_gpu.ts";
import type { Instruction } from "../program/program.ts";
import type { Encoding } from "./encoding.ts";

/** Consecutive instructions in a command encoder that is still open. */
export interface Recorded {
  readonly first: number;
  readonly last: number;
  readonly encoder: GPUCommandEncoder;
  readonly passes: readonly RecordedPass[];
  /** Whether nothing but copies follows its last pass, and some do. */
  readonly endsWithCopy: boolean;
}

export interface RecordedPass {
  readonly instruction: number;
  readonly slot: number;
  readonly followsCopy: boolean;
}

export interface AheadOptions {
  readonly instructions: readonly Instruction[];
  readonly kernels: ReadonlyMap<number, PreparedKernel>;
  /** Of what some instructions show. */
  readonly digests: ReadonlyMap<number, PreparedKernel>;
  /** Whether the step passes this one over. */
  readonly skips: (instruction: Instruction) => boolean;
  /** Whether what comes before and after it is submitted apart from it. */
  readonly standsAlone: (instruction: Instruction) => boolean;
}

export interface Ahead {
  /** What begins with that kernel or copy. To be called for all in their order. */
  take(index: number): Recorded;
  /** Records from that instruction on, unless something is. */
  record(from: number): void;
}

/** Kernels and copies recorded at once. With more, the GPU would wait longer for the first. */
const mostAtOnce = 16;

export function createAhead(
  encoding: Encoding,
  { instructions, kernels, digests, skips, standsAlone }: AheadOptions,
): Ahead {
  let ready: Recorded[] = [];

  const record: Ahead["record"] = (from) => {
    if (ready.length > 0) return;
    let open: (Recorded & Open) | undefined;
    let count = 0;
    for (let index = from; index < instructions.length; index++) {
      const instruction = instructions[index];
      if (instruction === undefined || skips(instruction)) continue;
      if (standsAlone(instruction)) open = undefined;
      const digest = digests.get(index);
      if (instruction.op === "kernel" || instruction.op === "copy" || digest !== undefined) {
        if (count === mostAtOnce) return;
        count += 1;
        if (open === undefined) {
          open = { first: index, last: index, ...opened(encoding) };
          ready.push(open);
        }
        open.last = index;
        if (digest !== undefined) encoding.digest(open.encoder, digest);
        else if (instruction.op === "copy") encoding.copy(open.encoder, instruction);
        else {
          const slot = encoding.kernel(open.encoder, kernelOf(index));
          open.passes.push({ instruction: index, slot, followsCopy: open.endsWithCopy });
        }
        open.endsWithCopy = instruction.op === "copy";
      } else if (instruction.op !== "observe") open = undefined;
      if (standsAlone(instruction)) open = undefined;
    }
  };
  const kernelOf = (index: number): PreparedKernel => {
    const kernel = kernels.get(index);
    if (kernel === undefined) throw new Error(`instruction ${index} has no kernel`);
    return kernel;
  };
  return {
    record,
    take(index) {
      record(index);
      const [next, ...rest] = ready;
      if (next?.first !== index) throw new Error(`nothing is recorded for instruction ${index}`);
      ready = rest;
      return next;
    },
  };
}

interface Open {
  last: number;
  readonly encoder: GPUCommandEncoder;
  readonly passes: RecordedPass[];
  endsWithCopy: boolean;
}

function opened(encoding: Encoding) {
  return {
    encoder: encoding.open(),
    passes: [],
    endsWithCopy: false,
  };
}
