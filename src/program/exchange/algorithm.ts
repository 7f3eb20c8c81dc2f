// How the sum of an all-reduce comes about: which rank adds what, in which order.
//
// - direct: every reader gets all summands and adds them itself, very few on its host. One hop: the least time
//   for few bytes.
// - two-shot: every reader adds one slice and hands it to the others. Each element is added once.
// - ring: a slice goes from rank to rank, each adds its own; the last hands the sum to all.
// - tree: the same along one binary tree for all elements; the least messages for many ranks.
//
// Whoever adds, a sum is computed once, or in the same order everywhere: all readers get the same bits.

import { bytesPerElement, ceilDiv, type StorageType } from "../../kernels/storage.ts";
import type { Piece } from "./pieces.ts";

export type ReduceAlgorithm = "direct" | "two-shot" | "ring" | "tree";

export interface Reduction {
  readonly name: string;
  readonly op: "all-reduce" | "reduce";
  readonly count: number;
  readonly dtype: StorageType;
  readonly from: readonly number[];
  readonly to: readonly number[];
  readonly algorithm?: ReduceAlgorithm;
}

/** From here on the second hop costs less than adding everything everywhere. */
const twoShotBytes = 2 ** 18;

/** What the instruction asks for, else what is expected to be fastest. */
export function algorithmOf(reduction: Reduction): ReduceAlgorithm {
  const { algorithm, name, count, dtype, from, to } = reduction;
  if (from.length < 2 || to.length < 2) return "direct";
  if (algorithm === undefined) {
    return count * bytesPerElement(dtype) < twoShotBytes ? "direct" : "two-shot";
  }
  const alike = from.length === to.length && from.every((rank) => to.includes(rank));
  if (!alike && (algorithm === "ring" || algorithm === "tree")) {
    throw new Error(`${name}: a ${algorithm} needs the same ranks on both sides`);
  }
  return algorithm;
}

/** Up to here a host adds in less time than a kernel begins. */
const hostBytes = 4096;

/** Whether hosts add, who must have whole words, and their own summand before them because others get it too. */
export function addsOnHost(reduction: Reduction): boolean {
  const { count, dtype, from, to } = reduction;
  const bytes = count * bytesPerElement(dtype);
  if (from.length < 2 || to.length < 2 || bytes > hostBytes || bytes % 4 !== 0) return false;
  return algorithmOf(reduction) === "direct";
}

/** A multiple of this many bytes can be bound on every adapter. */
export const bindingUnit = 256;

/** Bytes of each member's slice, one after the other. */
export function slicesOf({ count, dtype }: Reduction, members: number): Piece[] {
  const elementBytes = bytesPerElement(dtype);
  const unit = bindingUnit / elementBytes;
  const most = ceilDiv(count, members * unit) * unit;
  return Array.from({ length: members }, (_, m) => {
    const first = Math.min(count, m * most);
    const offset = first * elementBytes;
    const bytes = (Math.min(count, first + most) - first) * elementBytes;
    return { sourceOffset: offset, targetOffset: offset, bytes };
  });
}

/** A rank's turn to add: what `sources` have added so far, to its own; then on to `target`, or done. */
export interface Turn {
  readonly slice: Piece;
  readonly sources: readonly number[];
  readonly target?: number;
}

/** The turns of a rank in order; of two ranks, what one sends in its order the other takes in its own. */
export function turnsOf(reduction: Reduction, rank: number): Turn[] {
  const { from } = reduction;
  const ranks = from.length;
  const own = from.indexOf(rank);
  const member = (at: number): number[] => {
    const found = from[at];
    return found === undefined ? [] : [found];
  };
  if (algorithmOf(reduction) === "tree") {
    const [target] = own === 0 ? [] : member((own - 1) >> 1);
    const sources = [...member(2 * own + 1), ...member(2 * own + 2)];
    return slicesOf(reduction, 1).map((slice) => ({ slice, sources, ...named(target) }));
  }
  const slices = slicesOf(reduction, ranks);
  const ahead = member((own + 1) % ranks)[0];
  const behind = member((own + ranks - 1) % ranks);
  return Array.from({ length: ranks }, (_, step): Turn[] => {
    const slice = slices[(own - 1 - step + 2 * ranks) % ranks];
    if (slice === undefined || slice.bytes === 0) return [];
    return [
      { slice, sources: step === 0 ? [] : behind, ...named(step < ranks - 1 ? ahead : undefined) },
    ];
  }).flat();
}

const named = (target: number | undefined) => (target === undefined ? {} : { target });

/** Slices as they are handed out when they are summed, by member of `from`. */
export const handedOut = (reduction: Reduction): Piece[] => {
  const { from, to } = reduction;
  switch (algorithmOf(reduction)) {
    case "direct":
      return [];
    case "two-shot":
      return slicesOf(reduction, to.length);
    case "ring":
      return slicesOf(reduction, from.length);
    case "tree":
      return slicesOf(reduction, 1);
  }
};
