// The memory of each rank's activations. What only its own slot reads shares memory with the others of the rank, across
// layers, micro-batches and chunks; what a backward slot reads later has memory of its own, see `buffers.ts`.

import type { StorageType } from "../../kernels/storage.ts";
import { bytesOf } from "../builder.ts";
import { isTransfer, type Op } from "../op.ts";
import { type Touched, touchedOn } from "../operands.ts";
import { nameOn, partOn, type Tensor } from "../tensor.ts";
import type { SlotOps } from "../passes/schedule.ts";
import { windowAlignment } from "../window.ts";
import { type Lifetime, shareMemory, type ArenaPlan } from "./share_memory.ts";

/** Every adapter has buffers of that size, bytes. */
const largestArena = 256 * 2 ** 20;

export interface ActivationMemory {
  /** Undefined for a rank without activations that share memory. */
  on(rank: number): ArenaPlan | undefined;
}

/** From the slots of the first micro-batch, which all others are like. */
export function planActivationMemory(
  slots: readonly SlotOps[],
  dtype: StorageType,
): ActivationMemory {
  const plans = new Map<string, ArenaPlan>();
  const byRank = new Map<number, ArenaPlan>();
  for (const [rank, own] of opsByRank(slots)) {
    const lifetimes = lifetimesOn(rank, own, dtype);
    if (lifetimes.length === 0) continue;
    // Most ranks do as others do.
    const key = lifetimes
      .map(({ name, bytes, first, last, layer, apart }) =>
        [name, bytes, first, last, layer, ...apart].join("\t"),
      )
      .join("\n");
    const plan = plans.get(key) ?? shareMemory(lifetimes, windowAlignment, largestArena);
    plans.set(key, plan);
    byRank.set(rank, plan);
  }
  return { on: (rank) => byRank.get(rank) };
}

interface TimedOp {
  readonly op: Op;
  readonly slot: SlotOps;
}

/** Each rank's ops of one micro-batch, in order. */
const opsByRank = (slots: readonly SlotOps[]): Map<number, TimedOp[]> => {
  const byRank = new Map<number, TimedOp[]>();
  for (const slot of slots) {
    if (slot.microBatch > 0) continue;
    for (const op of slot.ops) {
      for (const rank of op.ranks) {
        const own = byRank.get(rank);
        if (own === undefined) byRank.set(rank, [{ op, slot }]);
        else own.push({ op, slot });
      }
    }
  }
  return byRank;
};

interface Seen {
  readonly bytes: number;
  readonly first: number;
  last: number;
  readonly slot: SlotOps;
  /** Undefined once ops of another layer's place touch it. */
  layer: string | undefined;
  /** Whether ops of several slots touch it. */
  crosses: boolean;
  readonly apart: Set<string>;
}

/** Of the activations that no slot but their own touches; times are places in the rank's own list. */
const lifetimesOn = (rank: number, own: readonly TimedOp[], dtype: StorageType): Lifetime[] => {
  const found = new Map<string, Seen>();
  const started = new Map<string, Touched>();
  const isShared = ({ role, slot }: Tensor): boolean => role === "activation" && slot === undefined;
  for (const [time, { op, slot }] of own.entries()) {
    // A transfer that was started holds its buffers until it is done.
    const touched = (op.op === "done" && started.get(op.channelName)) || touchedOn(op, rank);
    if (isTransfer(op) && op.isStarted === true) started.set(op.channelName, touched);
    const read = touched.read.filter(isShared);
    const written = touched.written.filter(isShared);
    for (const tensor of [...read, ...written]) {
      const name = nameOn(tensor, rank);
      const seen = found.get(name);
      if (seen === undefined) {
        const bytes = bytesOf(partOn(tensor, rank)?.shape ?? [], tensor.dtype ?? dtype);
        const apart = new Set<string>();
        const { place: layer } = op;
        found.set(name, { bytes, first: time, last: time, slot, layer, crosses: false, apart });
      } else {
        seen.last = time;
        if (seen.layer !== op.place) seen.layer = undefined;
        seen.crosses ||= seen.slot !== slot;
      }
    }
    keepApart(found, read, written, rank);
  }
  return [...found].flatMap(([name, { bytes, first, last, apart, crosses, layer }]): Lifetime[] =>
    crosses ? [] : [{ name, bytes, first, last, apart, ...(layer === undefined ? {} : { layer }) }],
  );
};

/** What an op writes from all else that it touches. */
const keepApart = (
  found: ReadonlyMap<string, Seen>,
  read: readonly Tensor[],
  written: readonly Tensor[],
  rank: number,
): void => {
  const names = [...read, ...written].map((tensor) => nameOn(tensor, rank));
  for (const tensor of written) {
    const name = nameOn(tensor, rank);
    for (const other of names) {
      if (other === name) continue;
      found.get(name)?.apart.add(other);
      found.get(other)?.apart.add(name);
    }
  }
};
