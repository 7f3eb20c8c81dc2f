// An instruction in a few words, for messages about what a rank was doing.

import type { Instruction } from "./program.ts";

export function describeInstruction(instruction: Instruction): string {
  const { layer, microBatch, phase } = instruction.origin;
  const where = `${layer}, micro-batch ${microBatch}${phase === "backward" ? ", backward" : ""}`;
  return `${whatIsDone(instruction)} (${where})`;
}

function whatIsDone(instruction: Instruction): string {
  switch (instruction.op) {
    case "kernel":
      return `kernel ${instruction.kernel}`;
    case "copy":
      return `copy from ${instruction.source} to ${instruction.target}`;
    case "input":
    case "observe":
      return `${instruction.op} of ${instruction.buffer}`;
    case "start":
      return `${instruction.transfer.op}-start "${instruction.transfer.name}"`;
    case "done":
      return `wait for "${instruction.name}"`;
    default:
      return `${instruction.op} "${instruction.name}"`;
  }
}
