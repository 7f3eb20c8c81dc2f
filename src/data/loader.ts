// The loader of a rank: token ids of the step's batch as bytes, read when an instruction asks for them, or before that by
// a thread that reads the next step's batch while a step runs.

import type { IdsContent } from "../program/content.ts";
import type { RankProgram } from "../program/program.ts";
import type { Batches } from "./batches.ts";
import { createReadAhead, type ReadAhead } from "./read_ahead.ts";

export interface Loader {
  /**
   * Before the first instruction of a step.
   *
   * @param batch counted from 0
   * @param next the batch of the step after it, as far as is known
   */
  begin(batch: number, next: number): void;
  /** Undefined where the instruction's content is no part of a data set. @param index of the instruction */
  take(index: number): Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>> | undefined;
}

/** Undefined where the program reads no data set. */
export function createLoader(
  { instructions }: Pick<RankProgram, "instructions">,
  batches: Batches | undefined,
): Loader | undefined {
  if (batches === undefined) return undefined;
  const loads = new Map<number, IdsContent>();
  let isAhead = false;
  for (const [index, instruction] of instructions.entries()) {
    if (instruction.op !== "input" || instruction.content.kind !== "ids") continue;
    loads.set(index, instruction.content);
    isAhead ||= instruction.isReadAhead === true;
  }
  if (loads.size === 0) return undefined;
  let current = 0;
  let thread: ReadAhead | undefined;
  return {
    begin(batch, next) {
      current = batch;
      if (isAhead) thread ??= createReadAhead(batches.source, loads);
      thread?.begin(batch, next);
    },
    take(index) {
      const content = loads.get(index);
      if (content === undefined) return undefined;
      return thread === undefined
        ? new Uint8Array(batches.ids(content, current).buffer)
        : thread.take(index);
    },
  };
}
