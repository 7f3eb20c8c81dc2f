// A builder that gives each micro-batch in flight activations of its own: it declares as many copies of a
// buffer as its stage holds micro-batches at once, and makes every instruction use the copy of its own.

import { type Builder, copyName, type Declaration, windowName } from "../builder.ts";
import { buffersOf, mapBuffers } from "../map_buffers.ts";
import type { Instruction, Origin } from "../program.ts";
import { copiesOf, type Copies } from "./copies.ts";
import type { Places } from "./place.ts";
import type { Schedule } from "./schedule.ts";

export interface CopyingBuilder extends Builder {
  /** What the rank's buffer of that name is called for that micro-batch. */
  nameFor(rank: number, id: string, origin: Origin): string;
  /** Declares what no instruction used. */
  end(): void;
}

export const copyBuffers = (
  builder: Builder,
  schedule: Schedule,
  places: Places,
): CopyingBuilder => {
  const copies = new Map<number, Copies>();
  /** Of buffers that outlive their slot, which are declared when the first instruction tells their stage. */
  const pending = new Map<number, Map<string, Declaration>>();
  /** Copies of each buffer of each rank. */
  const counts = new Map<number, Map<string, number>>();

  /** Windows of buffers, by rank and name. */
  const windows = new Map<number, Map<string, Window>>();

  const copiesAt = (rank: number): Copies | undefined => {
    const position = places.positionOf(rank);
    if (position === undefined) return undefined;
    const known = copies.get(position) ?? copiesOf(schedule, position);
    copies.set(position, known);
    return known;
  };
  const settle = (rank: number, id: string, count: number): void => {
    const window = windows.get(rank)?.get(id);
    if (window !== undefined) {
      const { buffer, columns, first, rows } = window;
      settle(rank, buffer, count);
      for (let copy = 0; copy < count; copy++) {
        builder.window(rank, copyName(buffer, copy, count), columns, first, rows);
      }
      return;
    }
    const declaration = pending.get(rank)?.get(id);
    if (declaration === undefined) return;
    pending.get(rank)?.delete(id);
    const own = counts.get(rank) ?? new Map<string, number>();
    counts.set(rank, own);
    own.set(id, count);
    builder.declareCopies(rank, declaration, count);
  };

  const copying: CopyingBuilder = {
    ...builder,
    declare(rank, declaration) {
      const { id, role } = declaration;
      if (role !== "activation" && role !== "input") return builder.declare(rank, declaration);
      // Said again after its use, a buffer is still the one that there is.
      if (counts.get(rank)?.has(id) === true) return id;
      const own = pending.get(rank) ?? new Map<string, Declaration>();
      pending.set(rank, own);
      own.set(id, declaration);
      return id;
    },
    window(rank, buffer, columns, first, rows) {
      const id = windowName(buffer, first, rows);
      const own = windows.get(rank) ?? new Map<string, Window>();
      windows.set(rank, own);
      own.set(id, { buffer, columns, first, rows });
      return id;
    },
    nameFor(rank, id, origin) {
      const window = windows.get(rank)?.get(id);
      if (window !== undefined) {
        const { buffer, first, rows } = window;
        return windowName(copying.nameFor(rank, buffer, origin), first, rows);
      }
      const count = counts.get(rank)?.get(id) ?? 1;
      const copy = copiesAt(rank)?.copyOf(places.chunkOf(rank, origin), origin.microBatch) ?? 0;
      return copyName(id, copy, count);
    },
    emit(rank, instruction: Instruction) {
      const { origin } = instruction;
      const count = copiesAt(rank)?.counts[places.chunkOf(rank, origin)] ?? 1;
      for (const id of buffersOf(instruction)) settle(rank, id, count);
      const named = builder.readsNames
        ? mapBuffers(instruction, (id) => copying.nameFor(rank, id, origin))
        : instruction;
      builder.emit(rank, named);
    },
    kernel(rank, origin, call, buffers) {
      copying.emit(rank, { op: "kernel", origin, dtype: builder.dtype, buffers, ...call });
    },
    end() {
      for (const [rank, own] of pending) for (const id of own.keys()) settle(rank, id, 1);
    },
  };
  return copying;
};

/** Rows of a buffer. */
interface Window {
  readonly buffer: string;
  readonly columns: number;
  readonly first: number;
  readonly rows: number;
}
