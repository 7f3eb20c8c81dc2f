// When each slot of a schedule runs if pipeline ranks wait for nothing but their own order and what they need.

import { slotsOf, type Schedule } from "./schedule.ts";
import type { Slot } from "./slot.ts";

export interface TimedSlot extends Slot {
  readonly start: number;
  readonly end: number;
}

/**
 * Per pipeline rank, its slots in order. Handing a result on takes no time.
 *
 * @param lengthOf a slot, in any unit
 */
export function timeline(
  schedule: Schedule,
  lengthOf: (pipelineRank: number, slot: Slot) => number,
): TimedSlot[][] {
  const { pipelineSize } = schedule;
  const waiting = Array.from({ length: pipelineSize }, (_, pipelineRank) =>
    slotsOf(schedule, pipelineRank).toReversed(),
  );
  const timed = waiting.map((): TimedSlot[] => []);
  const ends = new Map<number, number>();
  for (let isMoving = true; isMoving;) {
    isMoving = false;
    for (const [pipelineRank, own] of waiting.entries()) {
      for (let slot = own.at(-1); slot !== undefined; slot = own.at(-1)) {
        const needs = neededBy(schedule, pipelineRank, slot);
        const ready = needs === undefined ? 0 : ends.get(needs);
        if (ready === undefined) break;
        const start = Math.max(ready, timed[pipelineRank]?.at(-1)?.end ?? 0);
        const end = start + lengthOf(pipelineRank, slot);
        timed[pipelineRank]?.push({ ...slot, start, end });
        ends.set(
          keyOf(schedule, slot.phase, stageOf(schedule, pipelineRank, slot), slot.microBatch),
          end,
        );
        own.pop();
        isMoving = true;
      }
    }
  }
  if (waiting.some(({ length }) => length > 0))
    throw new Error("pipeline ranks wait for each other");
  return timed;
}

/** Share of the pipeline ranks' time in which none of their slots runs. */
export function idleShare(rows: readonly (readonly TimedSlot[])[]): number {
  const all = rows.flat();
  const span = all.reduce((most, { end }) => Math.max(most, end), 0);
  const work = all.reduce((sum, { start, end }) => sum + end - start, 0);
  return span === 0 ? 0 : 1 - work / (span * rows.length);
}

function stageOf({ pipelineSize }: Schedule, pipelineRank: number, { chunk }: Slot): number {
  return chunk * pipelineSize + pipelineRank;
}

/** Of thousands of micro-batches, numbers are looked up faster than text. */
function keyOf(
  { pipelineSize, virtualStages, microBatches }: Schedule,
  phase: Slot["phase"],
  stage: number,
  microBatch: number,
): number {
  return (
    ((phase === "forward" ? 0 : 1) * pipelineSize * virtualStages + stage) * microBatches +
    microBatch
  );
}

/** The slot whose end this one needs. */
function neededBy(schedule: Schedule, pipelineRank: number, slot: Slot): number | undefined {
  const stage = stageOf(schedule, pipelineRank, slot);
  const last = schedule.pipelineSize * schedule.virtualStages - 1;
  if (slot.phase === "forward") {
    return stage === 0 ? undefined : keyOf(schedule, "forward", stage - 1, slot.microBatch);
  }
  return stage === last
    ? keyOf(schedule, "forward", stage, slot.microBatch)
    : keyOf(schedule, "backward", stage + 1, slot.microBatch);
}
