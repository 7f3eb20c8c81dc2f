// An instruction in a few words, for messages about what a rank was doing.

import { type Instruction, isCollective } from "../program/program.ts";

export function describeInstruction(instruction: Instruction): string {
  const { layer, microBatch, phase } = instruction.origin;
  const where = `${layer}, micro-batch ${microBatch}${phase === "backward" ? ", backward" : ""}`;
  return `${whatIsDone(instruction)} (${where})`;
}

function whatIsDone(instruction: Instruction): string {
  if (isCollective(instruction)) return `${instruction.op} "${instruction.name}"`;
  switch (instruction.op) {
    case "kernel":
      return `kernel ${instruction.kernel}`;
    case "copy":
      return `copy from ${instruction.source} to ${instruction.target}`;
    case "input":
    case "observe":
      return `${instruction.op} of ${instruction.buffer}`;
  }
}
