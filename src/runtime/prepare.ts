// Everything of a program that can be made ready before it runs: pipelines, bindings, input bytes.

import type { BufferRegion } from "../collectives/buffer_region.ts";
import { type CollectiveKernels, prepareCollective } from "../collectives/kernels.ts";
import { createStagingPool, type StagingPool } from "../collectives/staging.ts";
import type { LogicalGpu, PreparedKernel } from "../gpu/logical_gpu.ts";
import { createLoader, type Loader } from "../data/loader.ts";
import type { ProgramSource } from "../data/open_source.ts";
import { tensorBytes } from "../program/builder.ts";
import type { ContentSource } from "../program/content_source.ts";
import { type BufferDeclaration, collectiveOf, type RankProgram } from "../program/program.ts";
import { servedBytes, type ServedStep } from "../program/serving/served.ts";
import type { TunedCall } from "../tuning/tuned_call.ts";
import { fillBytes } from "./fill.ts";
import { createDigests, type Digests } from "./check/digests.ts";
import { inBatches } from "./in_batches.ts";
import { bindCalls, prepareCalls, type ProgramCalls } from "./program_calls.ts";

export interface PreparedProgram {
  readonly program: RankProgram;
  readonly declaration: (id: string) => BufferDeclaration;
  readonly region: (id: string) => BufferRegion;
  readonly calls: ProgramCalls;
  /** Of the calls, by index of instruction. */
  readonly kernels: ReadonlyMap<number, PreparedKernel>;
  /** By index of instruction: what a collective adds with. */
  readonly collectives: ReadonlyMap<number, CollectiveKernels>;
  /** Of the results that the program shows. */
  readonly digests: Digests;
  /** Of the rank's staging buffers. */
  readonly staging: StagingPool;
  /** By index of instruction. */
  readonly inputs: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
  /** Of inputs that are read from a data set anew in each step. */
  readonly loader: Loader | undefined;
}

/** @param known what tuning found out on this adapter */
export async function prepareProgram(
  gpu: LogicalGpu,
  program: RankProgram,
  source: ProgramSource,
  buffers: ReadonlyMap<string, GPUBuffer>,
  known: readonly TunedCall[],
  onProgress: () => void,
): Promise<PreparedProgram> {
  const declarations = new Map(program.buffers.map((declared) => [declared.id, declared]));
  const found = <Value>(from: ReadonlyMap<string, Value>, id: string): Value => {
    const value = from.get(id);
    if (value === undefined) throw new Error(`rank ${program.rank} declares no buffer "${id}"`);
    return value;
  };
  const declaration = (id: string): BufferDeclaration => found(declarations, id);
  const region = (id: string): BufferRegion => {
    const declared = declaration(id);
    return regionOf(found(buffers, declared.within?.buffer ?? id), declared);
  };
  const calls = bindCalls(program, region);
  const prepared = {
    program,
    region,
    declaration,
    calls,
    kernels: await prepareCalls(gpu, calls, known, onProgress),
    collectives: await prepareCollectives(gpu, program, region, onProgress),
    digests: await createDigests(gpu, program, region, onProgress),
    staging: createStagingPool(
      program.buffers.filter(({ role }) => role === "staging").map(({ id }) => region(id).buffer),
    ),
    inputs: new Map<number, Uint8Array<ArrayBuffer>>(),
    loader: createLoader(program, source.batches),
  };
  for (const [index, instruction] of program.instructions.entries()) {
    if (instruction.op !== "input" || instruction.content.kind === "served") continue;
    if (prepared.loader !== undefined && instruction.content.kind === "ids") continue;
    const { dtype } = prepared.declaration(instruction.buffer);
    prepared.inputs.set(index, await fillBytes(instruction.content, source, dtype, onProgress));
  }
  return prepared;
}

/** A step of serving with the bytes of its inputs, by index of instruction. */
export interface PreparedServedStep {
  readonly phase: ServedStep["phase"];
  readonly inputs: ReadonlyMap<number, Uint8Array<ArrayBuffer>>;
}

export function prepareServedStep(
  { program, declaration }: Pick<PreparedProgram, "program" | "declaration">,
  step: ServedStep,
  source: ContentSource,
): PreparedServedStep {
  const inputs = new Map<number, Uint8Array<ArrayBuffer>>();
  for (const [index, instruction] of program.instructions.entries()) {
    if (instruction.op !== "input" || instruction.origin.serves !== step.phase) continue;
    const { buffer, content } = instruction;
    if (content.kind !== "served") continue;
    inputs.set(index, servedBytes(content, step, source, declaration(buffer).dtype));
  }
  return { phase: step.phase, inputs };
}

/** @param buffer that it is, or lies in */
export function regionOf(
  buffer: GPUBuffer,
  { bytes, within, columnsOf, shape, dtype }: BufferDeclaration,
): BufferRegion {
  const whole = { buffer, offset: within?.offset ?? 0, size: bytes };
  if (columnsOf === undefined) return whole;
  const rowBytes = tensorBytes([1, shape.at(-1) ?? 1], dtype);
  return { ...whole, rows: { bytes: rowBytes, pitch: columnsOf.pitch } };
}

async function prepareCollectives(
  gpu: LogicalGpu,
  { rank, instructions }: RankProgram,
  region: (id: string) => BufferRegion,
  onProgress: () => void,
): Promise<Map<number, CollectiveKernels>> {
  const prepared = new Map<number, CollectiveKernels>();
  await inBatches(
    instructions.entries(),
    async ([index, instruction]) => {
      const transfer = collectiveOf(instruction);
      if (transfer === undefined) return;
      const label = `rank ${rank} ${transfer.origin.layer}`;
      const kernels = await prepareCollective(gpu, rank, transfer, region, label);
      if (kernels !== undefined) prepared.set(index, kernels);
    },
    onProgress,
  );
  return prepared;
}
