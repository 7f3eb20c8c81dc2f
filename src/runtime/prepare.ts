// Everything of a program that can be made ready before it runs: pipelines, bindings, input bytes.

import type { LogicalGpu, PreparedKernel } from "../gpu/logical_gpu.ts";
import { kernelOf } from "../kernels/catalog.ts";
import { reduceSum } from "../kernels/reduce_sum.ts";
import { fillContent } from "../program/content_values.ts";
import type {
  AllReduce,
  BufferDeclaration,
  Instruction,
  RankProgram,
  ReduceScatter,
} from "../program/program.ts";

export interface PreparedProgram {
  readonly program: RankProgram;
  readonly declaration: (id: string) => BufferDeclaration;
  readonly buffer: (id: string) => GPUBuffer;
  /** By index of instruction: its kernel, or the sum that it ends with. */
  readonly kernels: ReadonlyMap<number, PreparedKernel>;
  /** By index of instruction. */
  readonly inputs: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
}

export async function prepareProgram(
  gpu: LogicalGpu,
  program: RankProgram,
  seed: number,
  buffers: ReadonlyMap<string, GPUBuffer>,
  onProgress: () => void,
): Promise<PreparedProgram> {
  const declarations = new Map(program.buffers.map((declared) => [declared.id, declared]));
  const found = <Value>(from: ReadonlyMap<string, Value>, id: string): Value => {
    const value = from.get(id);
    if (value === undefined) throw new Error(`rank ${program.rank} declares no buffer "${id}"`);
    return value;
  };
  const prepared = {
    program,
    buffer: (id: string) => found(buffers, id),
    declaration: (id: string) => found(declarations, id),
    kernels: new Map<number, PreparedKernel>(),
    inputs: new Map<number, Uint8Array<ArrayBuffer>>(),
  };
  // All at once: the driver compiles in threads of its own.
  await Promise.all(
    program.instructions.map(async (instruction, index) => {
      const kernel = await prepareKernel(gpu, program.rank, instruction, prepared.buffer);
      if (kernel !== undefined) prepared.kernels.set(index, kernel);
      onProgress();
    }),
  );
  for (const [index, instruction] of program.instructions.entries()) {
    if (instruction.op !== "input") continue;
    const { dtype } = prepared.declaration(instruction.buffer);
    prepared.inputs.set(index, fillContent(instruction.content, seed, dtype));
  }
  return prepared;
}

async function prepareKernel(
  gpu: LogicalGpu,
  rank: number,
  instruction: Instruction,
  buffer: (id: string) => GPUBuffer,
): Promise<PreparedKernel | undefined> {
  const label = `rank ${rank} ${instruction.origin.layer}`;
  if (instruction.op === "kernel") {
    const kernel = kernelOf(instruction);
    const bound = instruction.buffers.map(buffer);
    const name = `${label} ${kernel.name}`;
    return gpu.prepare(kernel, instruction.shape, instruction.dtype, bound, name);
  }
  if (instruction.op !== "all-reduce" && instruction.op !== "reduce-scatter") return undefined;
  const at = instruction.to.indexOf(rank);
  if (at < 0) return undefined;
  const elements =
    instruction.op === "all-reduce" ? instruction.count : (instruction.counts[at] ?? 0);
  return prepareSum(gpu, instruction, elements, buffer, label);
}

/** The sum of what one member alone contributes needs no kernel. */
async function prepareSum(
  gpu: LogicalGpu,
  { from, workspace, receive, dtype, name }: AllReduce | ReduceScatter,
  elements: number,
  buffer: (id: string) => GPUBuffer,
  label: string,
): Promise<PreparedKernel | undefined> {
  if (from.length < 2 || elements === 0) return undefined;
  if (workspace === undefined || receive === undefined) {
    throw new Error(`${name}: a receiving rank needs a workspace and a receive buffer`);
  }
  const shape = { pieces: from.length, elements };
  const bound = [buffer(workspace), buffer(receive)];
  return gpu.prepare(reduceSum, shape, dtype, bound, `${label} ${name} sum`);
}
