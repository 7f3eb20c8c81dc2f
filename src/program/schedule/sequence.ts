// Puts each rank's instructions, which were lowered one micro-batch after the other, into the order of its
// slots. Within a slot they keep their order.

import type { Instruction, RankProgram } from "../program.ts";
import { slotsOf } from "./schedule.ts";
import type { Scheduling } from "./scheduling.ts";

export function sequenced(program: RankProgram, scheduling: Scheduling | undefined): RankProgram {
  const { rank, instructions } = program;
  const pipelineRank = scheduling?.places.pipelineRankOf(rank);
  if (scheduling === undefined || pipelineRank === undefined) return program;
  const { schedule, places } = scheduling;
  const bySlot = new Map<string, Instruction[]>();
  for (const instruction of instructions) {
    const { origin } = instruction;
    const key = keyOf(origin.phase, places.chunkOf(rank, origin), origin.microBatch);
    const slot = bySlot.get(key);
    if (slot === undefined) bySlot.set(key, [instruction]);
    else slot.push(instruction);
  }
  const ordered = slotsOf(schedule, pipelineRank).flatMap(
    ({ phase, chunk, microBatch }) => bySlot.get(keyOf(phase, chunk, microBatch)) ?? [],
  );
  if (ordered.length !== instructions.length) {
    throw new Error(
      `rank ${rank}: ${instructions.length - ordered.length} instructions in no slot`,
    );
  }
  return { ...program, instructions: ordered };
}

function keyOf(phase: string, chunk: number, microBatch: number): string {
  return `${phase} ${chunk} ${microBatch}`;
}
