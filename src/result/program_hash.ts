// The fingerprint of what ranks do in which order: the same schedule, the same hash.

import { collectiveOf, type Instruction, type Program } from "../program/program.ts";
import { fingerprint } from "./fingerprint.ts";

/** sha256, in hex. Buffers and shapes do not count; what they change, bytes and FLOPs show. */
export function programHash({ ranks }: Program): string {
  return fingerprint(ranks.map(({ instructions }) => instructions.map(outlineOf)));
}

function outlineOf(instruction: Instruction): readonly unknown[] {
  const { op, origin } = instruction;
  const { layer, microBatch, phase } = origin;
  const collective = collectiveOf(instruction);
  const what =
    instruction.op === "kernel"
      ? instruction.kernel
      : collective && [collective.op, collective.from, collective.to];
  return [op, layer, microBatch, phase, what ?? null];
}
