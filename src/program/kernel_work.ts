// The work that an instruction gives the GPU.

import { kernelOf } from "../kernels/catalog.ts";
import type { StorageType } from "../kernels/storage.ts";
import type { Instruction } from "./program.ts";

export interface KernelWork {
  readonly kernel: string;
  readonly dtype: StorageType;
  readonly shape: Readonly<Record<string, unknown>>;
  /** Of one call; experts count the rows that a balanced router sends them. */
  readonly flops: number;
  /** That must cross global memory, each input once and each output once. */
  readonly bytes: number;
}

/** Undefined for all but kernels. The sums of a collective are part of its communication. */
export function kernelWorkOf(instruction: Instruction): KernelWork | undefined {
  if (instruction.op !== "kernel") return undefined;
  const { shape, dtype } = instruction;
  const kernel = kernelOf(instruction);
  return {
    kernel: kernel.name,
    dtype,
    shape: { ...shape },
    flops: kernel.flops(shape),
    bytes: kernel.bytes(shape, dtype),
  };
}

/** The same for equal work, whatever the order of a shape's parts. */
export function workKey({
  kernel,
  dtype,
  shape,
}: {
  readonly kernel: string;
  readonly dtype: string;
  readonly shape: Readonly<Record<string, unknown>>;
}): string {
  return JSON.stringify([
    kernel,
    dtype,
    Object.entries(shape).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  ]);
}
