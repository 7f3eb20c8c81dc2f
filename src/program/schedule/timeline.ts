// When each slot of a schedule runs if positions wait for nothing but their own order and what they need.

import { slotsOf, type Schedule } from "./schedule.ts";
import type { Slot } from "./slot.ts";

export interface TimedSlot extends Slot {
  readonly start: number;
  readonly end: number;
}

/**
 * Per position, its slots in order. Handing a result on takes no time.
 *
 * @param lengthOf a slot, in any unit
 */
export const timeline = (
  schedule: Schedule,
  lengthOf: (position: number, slot: Slot) => number,
): TimedSlot[][] => {
  const { positions } = schedule;
  const waiting = Array.from({ length: positions }, (_, position) =>
    slotsOf(schedule, position).toReversed(),
  );
  const timed = waiting.map((): TimedSlot[] => []);
  const ends = new Map<number, number>();
  for (let isMoving = true; isMoving;) {
    isMoving = false;
    for (const [position, own] of waiting.entries()) {
      for (let slot = own.at(-1); slot !== undefined; slot = own.at(-1)) {
        const needs = neededBy(schedule, position, slot);
        const ready = needs === undefined ? 0 : ends.get(needs);
        if (ready === undefined) break;
        const start = Math.max(ready, timed[position]?.at(-1)?.end ?? 0);
        const end = start + lengthOf(position, slot);
        timed[position]?.push({ ...slot, start, end });
        ends.set(
          keyOf(schedule, slot.phase, stageOf(schedule, position, slot), slot.microBatch),
          end,
        );
        own.pop();
        isMoving = true;
      }
    }
  }
  if (waiting.some(({ length }) => length > 0)) throw new Error("positions wait for each other");
  return timed;
};

/** Share of the positions' time in which none of their slots runs. */
export const idleShare = (rows: readonly (readonly TimedSlot[])[]): number => {
  const all = rows.flat();
  const span = all.reduce((most, { end }) => Math.max(most, end), 0);
  const work = all.reduce((sum, { start, end }) => sum + end - start, 0);
  return span === 0 ? 0 : 1 - work / (span * rows.length);
};

const stageOf = ({ positions }: Schedule, position: number, { chunk }: Slot): number =>
  chunk * positions + position;

/** Of thousands of micro-batches, numbers are looked up faster than text. */
const keyOf = (
  { positions, virtualStages, microBatches }: Schedule,
  phase: Slot["phase"],
  stage: number,
  microBatch: number,
): number =>
  ((phase === "forward" ? 0 : 1) * positions * virtualStages + stage) * microBatches + microBatch;

/** The slot whose end this one needs. */
const neededBy = (schedule: Schedule, position: number, slot: Slot): number | undefined => {
  const stage = stageOf(schedule, position, slot);
  const last = schedule.positions * schedule.virtualStages - 1;
  if (slot.phase === "forward") {
    return stage === 0 ? undefined : keyOf(schedule, "forward", stage - 1, slot.microBatch);
  }
  return stage === last
    ? keyOf(schedule, "forward", stage, slot.microBatch)
    : keyOf(schedule, "backward", stage + 1, slot.microBatch);
};
