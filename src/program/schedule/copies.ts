// How many copies of a stage's activations must exist, and which of them each micro-batch uses: a forward
// slot takes the lowest free one, the backward slot of the same micro-batch and chunk gives it back.

import { slotsOf, type Schedule } from "./schedule.ts";

export interface ActivationCopies {
  /** Per chunk of the pipeline rank. */
  readonly counts: readonly number[];
  /** Copy that a micro-batch uses in a chunk. */
  copyOf(chunk: number, microBatch: number): number;
}

/** Without backward slots nothing outlives its slot: one copy of all. */
export function copiesOf(schedule: Schedule, pipelineRank: number): ActivationCopies {
  const { virtualStages, name } = schedule;
  if (name === "forward") {
    return { counts: Array.from({ length: virtualStages }, () => 1), copyOf: () => 0 };
  }
  const taken = Array.from({ length: virtualStages }, (): boolean[] => []);
  const copies = Array.from({ length: virtualStages }, (): number[] => []);
  for (const { phase, microBatch, chunk } of slotsOf(schedule, pipelineRank)) {
    const used = taken[chunk] ?? [];
    const own = copies[chunk] ?? [];
    if (phase === "forward") {
      const free = used.indexOf(false);
      const copy = free < 0 ? used.length : free;
      used[copy] = true;
      own[microBatch] = copy;
    } else {
      used[own[microBatch] ?? 0] = false;
    }
  }
  return {
    counts: taken.map(({ length }) => length),
    copyOf: (chunk, microBatch) => copies[chunk]?.[microBatch] ?? 0,
  };
}
