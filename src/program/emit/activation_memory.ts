// The memory of each rank's activations. What only its own slot reads shares memory with the others of the rank, across
// layers, micro-batches and chunks. What a backward slot reads later has memory of its own, see `buffers.ts`, and so have
// tables that kernels read as uniform, a few bytes an expert.

import type { StorageType } from "../../kernels/storage.ts";
import { tensorBytes } from "../builder.ts";
import type { Op } from "../op.ts";
import { isTransfer } from "../transfer_op.ts";
import { type Touched, touchedOn } from "../operands.ts";
import { nameOn, partOn } from "../tensor.ts";
import type { SlotOps } from "../passes/schedule.ts";
import { windowAlignment } from "../window.ts";
import { demandsOn } from "./apart.ts";
import type { Lifetime } from "./seats.ts";
import { type ArenaPlan, createSharing } from "./share_memory.ts";

/** Every adapter has buffers of that size, bytes. */
const commonArena = 256 * 2 ** 20;

export interface ActivationMemory {
  /** Undefined for a rank without activations that share memory. */
  on(rank: number): ArenaPlan | undefined;
}

export interface TimedProgram {
  readonly slots: readonly SlotOps[];
  /** As of `Repeats`. */
  readonly kindOf: (layer: string) => string;
}

/**
 * From the slots of the first micro-batch, which all others are like.
 *
 * @param programs which never run at the same time, in memory that they share
 */
export function planActivationMemory(
  programs: readonly TimedProgram[],
  dtype: StorageType,
): ActivationMemory[] {
  const shareMemory = createSharing(windowAlignment, commonArena);
  const byProgram = programs.map(opsByRank);
  const ranks = new Set(byProgram.flatMap((byRank) => [...byRank.keys()]));
  const plans = programs.map(() => new Map<number, ArenaPlan>());
  for (const rank of ranks) {
    const own = byProgram.map((byRank) => lifetimesOn(rank, byRank.get(rank) ?? [], dtype));
    if (own.every((lifetimes) => lifetimes.length === 0)) continue;
    for (const [i, plan] of shareMemory(own).entries()) plans[i]?.set(rank, plan);
  }
  return plans.map((byRank) => ({ on: (rank) => byRank.get(rank) }));
}

interface TimedOp {
  readonly op: Op;
  readonly slot: SlotOps;
  /** The same for ops that do the same in layers of one kind. */
  readonly kind: string;
}

/** Each rank's ops of one micro-batch, in order. */
function opsByRank({ slots, kindOf }: TimedProgram): Map<number, TimedOp[]> {
  const byRank = new Map<number, TimedOp[]>();
  for (const [index, slot] of slots.filter(({ microBatch }) => microBatch === 0).entries()) {
    const opsOf = new Map<string, number>();
    for (const op of slot.ops) {
      const nth = opsOf.get(op.place) ?? 0;
      opsOf.set(op.place, nth + 1);
      const timed = { op, slot, kind: `${index} ${kindOf(op.place)} ${nth}` };
      for (const rank of op.ranks) {
        const own = byRank.get(rank);
        if (own === undefined) byRank.set(rank, [timed]);
        else own.push(timed);
      }
    }
  }
  return byRank;
}

interface Seen {
  readonly bytes: number;
  readonly first: number;
  last: number;
  readonly slot: SlotOps;
  /** Of the ops that touch it, with its place among what they touch. */
  readonly kinds: string[];
  /** Whether ops of several slots touch it. */
  crosses: boolean;
  isUniform: boolean;
  readonly apart: Set<string>;
  readonly copied: Set<string>;
}

/** Of the activations that share memory; times are places in the rank's own list. */
function lifetimesOn(rank: number, own: readonly TimedOp[], dtype: StorageType): Lifetime[] {
  const found = new Map<string, Seen>();
  const started = new Map<string, Touched>();
  for (const [time, { op, slot, kind }] of own.entries()) {
    // A transfer that was started holds its buffers until it is done.
    const touched = (op.op === "done" && started.get(op.channelName)) || touchedOn(op, rank);
    if (isTransfer(op) && op.isStarted === true) started.set(op.channelName, touched);
    for (const [nth, tensor] of [...touched.read, ...touched.written].entries()) {
      if (tensor.role !== "activation" || tensor.slot !== undefined) continue;
      const name = nameOn(tensor, rank);
      const seen = found.get(name) ?? {
        bytes: tensorBytes(partOn(tensor, rank)?.shape ?? [], tensor.dtype ?? dtype),
        first: time,
        last: time,
        slot,
        kinds: [],
        crosses: false,
        isUniform: false,
        apart: new Set<string>(),
        copied: new Set<string>(),
      };
      found.set(name, seen);
      seen.last = time;
      seen.kinds.push(`${kind} ${nth}`);
      seen.crosses ||= seen.slot !== slot;
    }
    const { uniform, ...pairs } = demandsOn(op, rank);
    for (const relation of ["apart", "copied"] as const) {
      for (const [read, written] of pairs[relation]) {
        found.get(read)?.[relation].add(written);
        found.get(written)?.[relation].add(read);
      }
    }
    for (const name of uniform) {
      const seen = found.get(name);
      if (seen !== undefined) seen.isUniform = true;
    }
  }
  return [...found].flatMap(([name, { slot: _, kinds, crosses, isUniform, ...lifetime }]) =>
    crosses || isUniform ? [] : [{ name, kind: kinds.join(), ...lifetime }],
  );
}
