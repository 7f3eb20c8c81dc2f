// What kernels read in a step, kept for tuning. What a step leaves in memory that its activations share is of other
// layers, or no numbers at all, in which right variants and wrong ones look alike.

import { EnvironmentError } from "../environment_error.ts";
import type { LogicalGpu } from "../gpu/logical_gpu.ts";
import { bindingsOf } from "../kernels/kernel.ts";
import type { BufferRole, Instruction, KernelInstruction } from "../program/program.ts";
import type { ServedStep } from "../program/serving/served.ts";
import { callKey } from "../tuning/keys.ts";
import type { StepOptions } from "./execute.ts";
import type { PreparedProgram } from "./prepare.ts";
import type { ProgramCall } from "./program_calls.ts";

export interface KeptInputs {
  /** Of the step that they are to be taken from. */
  readonly options: Required<Pick<StepOptions, "inspects" | "before">>;
  /** Every use of the calls that the step came to, the first of each bound to what it read then. */
  readonly calls: () => readonly ProgramCall[];
  destroy(): void;
}

type Prepared = Pick<PreparedProgram, "program" | "calls" | "declaration">;

/** Memory that nothing else takes in a step. */
const lasting: ReadonlySet<BufferRole> = new Set(["weight", "constant", "cache", "optimizer"]);

/**
 * @param wanted keys of calls
 * @param phase of serving, that of the step
 */
export function keepInputs(
  gpu: LogicalGpu,
  prepared: Prepared,
  wanted: ReadonlySet<string>,
  phase?: ServedStep["phase"],
): KeptInputs {
  const uses = usesOf(prepared, wanted, phase);
  const kept = new Map<string, ProgramCall>();
  const copies: GPUBuffer[] = [];
  const keep = async (call: ProgramCall, { buffers: ids }: KernelInstruction): Promise<void> => {
    const encoder = gpu.device.createCommandEncoder({ label: call.label });
    const buffers = [...call.buffers];
    for (const [index, { access }] of bindingsOf(call.kernel, call.shape).entries()) {
      const bound = buffers[index];
      if (access !== "read" || bound === undefined || !("buffer" in bound)) continue;
      if (lasting.has(prepared.declaration(ids[index] ?? "").role)) continue;
      const { buffer, offset = 0, size = buffer.size - offset } = bound;
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
      const copy = await gpu.apart(async () => gpu.createBuffer(`${call.label} read`, size, usage));
      copies.push(copy);
      encoder.copyBufferToBuffer(buffer, offset, copy, 0, size);
      buffers[index] = { buffer: copy, offset: 0, size };
    }
    gpu.device.queue.submit([encoder.finish()]);
    kept.set(keyOf(call), { ...call, buffers });
  };
  return {
    options: {
      inspects: (instruction) => uses.get(instruction)?.isFirst === true,
      async before(instruction) {
        const use = uses.get(instruction);
        if (use?.isFirst !== true || instruction.op !== "kernel") return;
        try {
          await keep(use.call, instruction);
        } catch (error) {
          // Of what there is no memory for, nothing is tried.
          if (!(error instanceof EnvironmentError && error.code === "out-of-memory")) throw error;
        }
      },
    },
    calls: () =>
      [...uses.values()].flatMap(({ call, isFirst }) => {
        const first = kept.get(keyOf(call));
        if (first === undefined) return [];
        return isFirst ? [first] : [call];
      }),
    destroy() {
      for (const copy of copies) gpu.destroyBuffer(copy);
    },
  };
}

interface Use {
  readonly call: ProgramCall;
  readonly isFirst: boolean;
}

function usesOf(
  { program, calls }: Prepared,
  wanted: ReadonlySet<string>,
  phase: ServedStep["phase"] | undefined,
): Map<Instruction, Use> {
  const seen = new Set<string>();
  const uses = new Map<Instruction, Use>();
  for (const [index, call] of calls) {
    const key = keyOf(call);
    const instruction = program.instructions[index];
    if (instruction?.origin.serves !== phase || instruction === undefined || !wanted.has(key)) {
      continue;
    }
    uses.set(instruction, { call, isFirst: !seen.has(key) });
    seen.add(key);
  }
  return uses;
}

function keyOf({ kernel, shape, dtype }: ProgramCall): string {
  return callKey(kernel.name, shape, dtype);
}
