// The memory of each rank's activations. What only its own slot reads shares memory with the others of the rank, across
// layers, micro-batches and chunks; what a backward slot reads later has memory of its own, see `buffers.ts`.

import type { StorageType } from "../../kernels/storage.ts";
import { tensorBytes } from "../builder.ts";
import { isTransfer, type Op } from "../op.ts";
import { type Touched, touchedOn } from "../operands.ts";
import { hasBackward, type Scheduling } from "../schedule/scheduling.ts";
import { nameOn, partOn, type Tensor } from "../tensor.ts";
import type { PassedOps } from "../passes/passes.ts";
import { windowAlignment } from "../window.ts";
import { type Lifetime, shareMemory, type ArenaPlan } from "./share_memory.ts";

/** Every adapter has buffers of that size, bytes. */
const largestArena = 256 * 2 ** 20;

export interface ActivationMemory {
  /** Undefined for a rank without activations that share memory. */
  on(rank: number): ArenaPlan | undefined;
}

export function planActivationMemory(
  { forward, backward }: PassedOps,
  dtype: StorageType,
  scheduling: Scheduling | undefined,
): ActivationMemory {
  const opsOf = opsByRank(forward);
  const laterOf = opsByRank(backward);
  const plans = new Map<string, ArenaPlan>();
  const byRank = new Map<number, ArenaPlan>();
  for (const [rank, own] of opsOf) {
    const kept = new Set(
      (laterOf.get(rank) ?? []).flatMap((at) => {
        const op = backward[at];
        if (op === undefined) return [];
        const { read, written } = touchedOn(op, rank);
        return [...read, ...written].map((tensor) => nameOn(tensor, rank));
      }),
    );
    const chunkOf = hasBackward(scheduling)
      ? (op: Op): number => scheduling.places.chunkOf(rank, op.origin)
      : (): number => 0;
    const lifetimes = lifetimesOn(rank, own, forward, dtype, chunkOf).filter(
      ({ name }) => !kept.has(name),
    );
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

/** Of programs that never run at the same time, in memory that they share: each arena has room for any of them. */
export function inSameMemory(memories: readonly ActivationMemory[]): ActivationMemory[] {
  return memories.map((own) => ({
    on(rank) {
      const plan = own.on(rank);
      if (plan === undefined) return undefined;
      const arenas = plan.arenas.map((_, arena) =>
        Math.max(...memories.map((each) => each.on(rank)?.arenas[arena] ?? 0)),
      );
      return { ...plan, arenas };
    },
  }));
}

/** Indices of each rank's ops, in order. */
function opsByRank(ops: readonly Op[]): Map<number, number[]> {
  const byRank = new Map<number, number[]>();
  for (const [at, op] of ops.entries()) {
    for (const rank of op.ranks) {
      const own = byRank.get(rank);
      if (own === undefined) byRank.set(rank, [at]);
      else own.push(at);
    }
  }
  return byRank;
}

interface Seen {
  readonly bytes: number;
  readonly first: number;
  last: number;
  readonly chunk: number;
  /** Undefined once ops of another layer's place touch it. */
  layer: string | undefined;
  /** Whether ops of several slots touch it. */
  crosses: boolean;
  readonly apart: Set<string>;
}

/** Of the activations that no slot but their own touches; times are places in the rank's own list. */
function lifetimesOn(
  rank: number,
  own: readonly number[],
  ops: readonly Op[],
  dtype: StorageType,
  chunkOf: (op: Op) => number,
): Lifetime[] {
  const found = new Map<string, Seen>();
  const started = new Map<string, Touched>();
  const isShared = ({ role, slot }: Tensor): boolean => role === "activation" && slot === undefined;
  for (const [time, at] of own.entries()) {
    const op = ops[at];
    if (op === undefined) continue;
    const chunk = chunkOf(op);
    // A transfer that was started holds its buffers until it is done.
    const touched = (op.op === "done" && started.get(op.channelName)) || touchedOn(op, rank);
    if (isTransfer(op) && op.isStarted === true) started.set(op.channelName, touched);
    const read = touched.read.filter(isShared);
    const written = touched.written.filter(isShared);
    for (const tensor of [...read, ...written]) {
      const name = nameOn(tensor, rank);
      const seen = found.get(name);
      if (seen === undefined) {
        const bytes = tensorBytes(partOn(tensor, rank)?.shape ?? [], tensor.dtype ?? dtype);
        const apart = new Set<string>();
        const { place: layer } = op;
        found.set(name, { bytes, first: time, last: time, chunk, layer, crosses: false, apart });
      } else {
        seen.last = time;
        if (seen.layer !== op.place) seen.layer = undefined;
        seen.crosses ||= seen.chunk !== chunk;
      }
    }
    keepApart(found, read, written, rank);
  }
  return [...found].flatMap(([name, { bytes, first, last, apart, crosses, layer }]): Lifetime[] =>
    crosses ? [] : [{ name, bytes, first, last, apart, ...(layer === undefined ? {} : { layer }) }],
  );
}

/** What an op writes from all else that it touches. */
function keepApart(
  found: ReadonlyMap<string, Seen>,
  read: readonly Tensor[],
  written: readonly Tensor[],
  rank: number,
): void {
  const names = [...read, ...written].map((tensor) => nameOn(tensor, rank));
  for (const tensor of written) {
    const name = nameOn(tensor, rank);
    for (const other of names) {
      if (other === name) continue;
      found.get(name)?.apart.add(other);
      found.get(other)?.apart.add(name);
    }
  }
}
