// The kernels that a rank's program runs, bound to the rank's buffers, and the variant that each takes.

import type { LogicalGpu, PreparedKernel } from "../gpu/logical_gpu.ts";
import { type KernelCall, kernelOf } from "../kernels/catalog.ts";
import type { StorageType } from "../kernels/storage.ts";
import type { Instruction, RankProgram } from "../program/program.ts";
import { choiceOf } from "../tuning/choice.ts";
import { callKey } from "../tuning/keys.ts";
import type { BoundCall } from "../tuning/scratch.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import { inBatches } from "./in_batches.ts";

export type ProgramCall = BoundCall<KernelCall["shape"]>;

/** By index of instruction. */
export type ProgramCalls = ReadonlyMap<number, ProgramCall>;

/** One call of a program, however often a step makes it, and the variant it takes. Crosses processes. */
export interface CallUse {
  /** `callKey`. */
  readonly call: string;
  readonly kernel: string;
  readonly dtype: StorageType;
  readonly shape: KernelCall["shape"];
  /** In one step of the rank. */
  readonly uses: number;
  readonly flops: number;
  /** Key of the variant. */
  readonly variant: string;
  /** Of the variant that is selected untuned. */
  readonly expected: string;
  /** How many there are to choose from. */
  readonly variants: number;
  /** Whether some of them are worth trying. */
  readonly pending: boolean;
}

export function bindCalls(
  program: RankProgram,
  region: (id: string) => GPUBufferBinding,
): Map<number, ProgramCall> {
  const calls = new Map<number, ProgramCall>();
  for (const [index, instruction] of program.instructions.entries()) {
    const call = bindCall(program.rank, instruction, region);
    if (call !== undefined) calls.set(index, call);
  }
  return calls;
}

function bindCall(
  rank: number,
  instruction: Instruction,
  region: (id: string) => GPUBufferBinding,
): ProgramCall | undefined {
  if (instruction.op !== "kernel") return undefined;
  const { shape, dtype, buffers, origin } = instruction;
  const kernel = kernelOf(instruction);
  const label = `rank ${rank} ${origin.layer} ${kernel.name}`;
  return { kernel, shape, dtype, buffers: buffers.map(region), label };
}

/** @param known what tuning found out on this adapter */
export async function prepareCalls(
  gpu: LogicalGpu,
  calls: ProgramCalls,
  known: readonly TunedCall[],
  onProgress: () => void,
): Promise<Map<number, PreparedKernel>> {
  const prepared = new Map<number, PreparedKernel>();
  // Many at once: the driver compiles in threads of its own.
  await inBatches(
    calls,
    async ([index, { kernel, shape, dtype, buffers, label }]) => {
      const { variant } = choiceOf(gpu.report, { kernel, shape, dtype }, known).selected;
      prepared.set(index, await gpu.prepare(kernel, shape, dtype, buffers, label, variant));
    },
    onProgress,
  );
  return prepared;
}

export function describeCalls(
  gpu: LogicalGpu,
  calls: ProgramCalls,
  known: readonly TunedCall[],
): CallUse[] {
  const uses = new Map<string, CallUse>();
  for (const { kernel, shape, dtype } of calls.values()) {
    const call = callKey(kernel.name, shape, dtype);
    const before = uses.get(call);
    if (before !== undefined) {
      uses.set(call, { ...before, uses: before.uses + 1 });
      continue;
    }
    const { selected, variants, expected, trials } = choiceOf(
      gpu.report,
      { kernel, shape, dtype },
      known,
    );
    uses.set(call, {
      call,
      kernel: kernel.name,
      dtype,
      shape,
      uses: 1,
      flops: kernel.flops(shape),
      variant: selected.key,
      expected: expected.key,
      variants: variants.length,
      pending: trials.variants.length > 0,
    });
  }
  return [...uses.values()];
}
