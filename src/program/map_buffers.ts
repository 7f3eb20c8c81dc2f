// An instruction with its buffers called something else.

import type { Collective, Instruction } from "./program.ts";

export const mapBuffers = (
  instruction: Instruction,
  nameOf: (id: string) => string,
): Instruction => {
  switch (instruction.op) {
    case "kernel":
      return { ...instruction, buffers: instruction.buffers.map(nameOf) };
    case "copy":
      return {
        ...instruction,
        source: nameOf(instruction.source),
        target: nameOf(instruction.target),
      };
    case "input":
    case "observe":
      return { ...instruction, buffer: nameOf(instruction.buffer) };
    case "start":
      return { ...instruction, transfer: mapTransfer(instruction.transfer, nameOf) };
    case "done":
      return instruction;
    default:
      return mapTransfer(instruction, nameOf);
  }
};

const mapTransfer = (transfer: Collective, nameOf: (id: string) => string): Collective => {
  const renamed: Record<string, string> = {};
  for (const key of transferBuffers) {
    const id: unknown = Reflect.get(transfer, key);
    if (typeof id === "string") renamed[key] = nameOf(id);
  }
  return { ...transfer, ...renamed };
};

/** Fields of transfers that name a buffer. The counts of an expert dispatch do, those of others are numbers. */
const transferBuffers = ["send", "receive", "workspace", "counts", "kept", "offsets"] as const;

/** Every buffer that an instruction names, staging left out. */
export const buffersOf = (instruction: Instruction): readonly string[] => {
  switch (instruction.op) {
    case "kernel":
      return instruction.buffers;
    case "copy":
      return [instruction.source, instruction.target];
    case "input":
    case "observe":
      return [instruction.buffer];
    case "start":
      return buffersOfTransfer(instruction.transfer);
    case "done":
      return [];
    default:
      return buffersOfTransfer(instruction);
  }
};

const buffersOfTransfer = (transfer: Collective): string[] =>
  transferBuffers
    .map((key): unknown => Reflect.get(transfer, key))
    .filter((id) => typeof id === "string");
