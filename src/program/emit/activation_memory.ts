// The memory of each rank's activations. What only its own slot reads shares memory with the others of the rank, across
// layers, micro-batches and chunks; what a backward slot reads later has memory of its own, see `buffers.ts`.

import type { StorageType } from "../../kernels/storage.ts";
import { tensorBytes } from "../builder.ts";
import type { Op } from "../op.ts";
import { isTransfer } from "../transfer_op.ts";
import { type Touched, touchedOn } from "../operands.ts";
import { nameOn, partOn, type Tensor } from "../tensor.ts";
import type { SlotOps } from "../passes/schedule.ts";
import { windowAlignment } from "../window.ts";
import type { Lifetime } from "./seats.ts";
import { type ArenaPlan, createSharing } from "./share_memory.ts";

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
  const shareMemory = createSharing(windowAlignment, largestArena);
  const byRank = new Map<number, ArenaPlan>();
  for (const [rank, own] of opsByRank(slots)) {
    const { tensors, opposed } = lifetimesOn(rank, own, dtype);
    if (tensors.length > 0) byRank.set(rank, shareMemory(tensors, opposed));
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
      const most = (of: "liveBytes" | "leastBytes"): number =>
        Math.max(...memories.map((each) => each.on(rank)?.[of] ?? 0));
      return { ...plan, arenas, liveBytes: most("liveBytes"), leastBytes: most("leastBytes") };
    },
  }));
}

interface TimedOp {
  readonly op: Op;
  readonly slot: SlotOps;
}

/** Each rank's ops of one micro-batch, in order. */
function opsByRank(slots: readonly SlotOps[]): Map<number, TimedOp[]> {
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
}

interface Seen {
  readonly bytes: number;
  readonly first: number;
  last: number;
  readonly slot: SlotOps;
  /** Kinds of the layers in whose places ops touch it. */
  readonly places: Set<string>;
  /** Whether ops of several slots touch it. */
  crosses: boolean;
  readonly apart: Set<string>;
}

interface Lifetimes {
  readonly tensors: readonly Lifetime[];
  /** Bytes of all that an op reads or of all that it writes, whichever is less: of the op with most. */
  readonly opposed: number;
}

/** Of the activations that no slot but their own touches; times are places in the rank's own list. */
function lifetimesOn(rank: number, own: readonly TimedOp[], dtype: StorageType): Lifetimes {
  const found = new Map<string, Seen>();
  const started = new Map<string, Touched>();
  const isShared = ({ role, slot }: Tensor): boolean => role === "activation" && slot === undefined;
  const pairs = own.map(({ op, slot }, time) => {
    // A transfer that was started holds its buffers until it is done.
    const touched = (op.op === "done" && started.get(op.channelName)) || touchedOn(op, rank);
    if (isTransfer(op) && op.isStarted === true) started.set(op.channelName, touched);
    const namesOf = (tensors: readonly Tensor[]): string[] =>
      tensors.filter(isShared).map((tensor) => {
        const name = nameOn(tensor, rank);
        const seen = found.get(name) ?? {
          bytes: tensorBytes(partOn(tensor, rank)?.shape ?? [], tensor.dtype ?? dtype),
          first: time,
          last: time,
          slot,
          places: new Set<string>(),
          crosses: false,
          apart: new Set<string>(),
        };
        found.set(name, seen);
        seen.last = time;
        seen.places.add(withoutIndex(op.place));
        seen.crosses ||= seen.slot !== slot;
        return name;
      });
    const written = new Set(namesOf(touched.written));
    return { written, read: new Set(namesOf(touched.read).filter((name) => !written.has(name))) };
  });
  keepApart(found, pairs);
  const sizeOf = (names: ReadonlySet<string>): number =>
    [...names].reduce((sum, name) => {
      const seen = found.get(name);
      return sum + (seen === undefined || seen.crosses ? 0 : seen.bytes);
    }, 0);
  return {
    tensors: [...found].flatMap(([name, { crosses, places, bytes, first, last, apart }]) => {
      const kind = [withoutIndex(name), ...[...places].toSorted()].join(" ");
      return crosses ? [] : [{ name, kind, bytes, first, last, apart }];
    }),
    opposed: pairs.reduce(
      (most, { read, written }) => Math.max(most, Math.min(sizeOf(read), sizeOf(written))),
      0,
    ),
  };
}

/** Without the indices of layers, of which a name may have several: `<stage>/<index>.<op>/to <stage>/<index>.<op>`. */
function withoutIndex(name: string): string {
  return name.replaceAll(/\/\d+\./g, "/");
}

interface Pair {
  readonly written: ReadonlySet<string>;
  /** And not written. */
  readonly read: ReadonlySet<string>;
}

function keepApart(found: ReadonlyMap<string, Seen>, pairs: readonly Pair[]): void {
  for (const { written, read } of pairs) {
    for (const name of written) {
      for (const other of read) {
        found.get(name)?.apart.add(other);
        found.get(other)?.apart.add(name);
      }
    }
  }
}
