// Bytes that collectives move between ranks, counted where they arrive.

import { bytesPerElement } from "../kernels/storage.ts";
import { algorithmOf, handedOut, turnsOf } from "./exchange/algorithm.ts";
import { isAllReduce, passesOn } from "./exchange/sums.ts";
import type { AllReduce, Collective } from "./program.ts";

export interface WireBytes {
  /** Payload to and from other ranks; what stays on the rank does not count. */
  readonly sent: number;
  readonly received: number;
  /** The most that this rank exchanges with one other rank in one direction. */
  readonly largestPiece: number;
  /** Where routing decides: received if all tokens choose experts of this rank, as far as these take them. */
  readonly receivedAtWorst?: number;
}

/**
 * Splits of expert transfers are known only when they run: here tokens are balanced over the experts, each of which
 * takes its capacity at most.
 */
export type WireCount = (collective: Collective, rank: number) => WireBytes;

/** Thousands of ranks may share the lists of one collective: what follows from a list is kept. */
export const createWireCount = (): WireCount => {
  const placeIn = kept((members) => new Map(members.map((member, at) => [member, at])));
  const summaryOf = kept(summarise);
  return (collective, rank) => {
    if (isAllReduce(collective) && algorithmOf(collective) !== "direct") {
      return inTwoHops(collective, rank);
    }
    const { from, to } = collective;
    const i = placeIn(from).get(rank) ?? -1;
    const j = placeIn(to).get(rank) ?? -1;
    const sources = from.length - (i < 0 ? 0 : 1);
    const targets = to.length - (j < 0 ? 0 : 1);
    /** One piece of equal size to or from each of the others. */
    const equal = (count: number, size: number): Pieces => ({
      sum: count * size,
      largest: count === 0 ? 0 : size,
    });
    /** The pieces of all members but the one at `own`, which may be −1. */
    const allBut = (sizes: readonly number[], own: number, scale = 1): Pieces => {
      const { sum, largest, second } = summaryOf(sizes);
      const size = sizes[own];
      if (size === undefined) return { sum: scale * sum, largest: scale * largest };
      return { sum: scale * (sum - size), largest: scale * (size === largest ? second : largest) };
    };
    const pieces = (): { readonly sent: Pieces; readonly received: Pieces } => {
      switch (collective.op) {
        case "all-reduce":
        case "reduce":
        case "broadcast":
        case "send":
        case "recv": {
          const { count } = collective;
          return { sent: equal(targets, count), received: equal(sources, count) };
        }
        case "all-gather":
        case "gather": {
          const { counts } = collective;
          return { sent: equal(targets, counts[i] ?? 0), received: allBut(counts, i) };
        }
        case "reduce-scatter":
        case "scatter": {
          const { counts } = collective;
          return { sent: allBut(counts, j), received: equal(sources, counts[j] ?? 0) };
        }
        case "all-to-all": {
          const { counts } = collective;
          const column = counts.map((row) => row[j] ?? 0);
          return { sent: allBut(counts[i] ?? [], j), received: allBut(column, i) };
        }
        case "expert-dispatch":
        case "expert-combine": {
          const { op, expertsPerRank, rowElements, rows, capacity = Infinity } = collective;
          const dispatch = op === "expert-dispatch";
          const experts = Math.max(1, summaryOf(expertsPerRank).sum);
          const sharers = (dispatch ? from : to).length;
          const perExpert = (Math.min(rows / experts, capacity) / sharers) * rowElements;
          const held = perExpert * (expertsPerRank[dispatch ? j : i] ?? 0);
          return dispatch
            ? { sent: allBut(expertsPerRank, j, perExpert), received: equal(sources, held) }
            : { sent: equal(targets, held), received: allBut(expertsPerRank, i, perExpert) };
        }
      }
    };
    const { sent, received } = pieces();
    const bytes = bytesPerElement(collective.dtype);
    return {
      sent: i < 0 ? 0 : bytes * sent.sum,
      received: j < 0 ? 0 : bytes * received.sum,
      largestPiece: bytes * Math.max(i < 0 ? 0 : sent.largest, j < 0 ? 0 : received.largest),
      ...atWorst(collective, j, sources),
    };
  };
};

/** All tokens of the other sources to one rank; its experts take their capacity of them. */
const atWorst = (
  collective: Collective,
  at: number,
  sources: number,
): Pick<WireBytes, "receivedAtWorst"> => {
  if (collective.op !== "expert-dispatch" || at < 0) return {};
  const { rows, rowElements, from, capacity = Infinity, expertsPerRank, dtype } = collective;
  const taken = Math.min(rows, capacity * (expertsPerRank[at] ?? 0));
  return {
    receivedAtWorst: bytesPerElement(dtype) * taken * rowElements * (sources / from.length),
  };
};

/** An all-reduce whose sums are handed out: summands one way, sums the other. */
const inTwoHops = (reduction: AllReduce, rank: number): WireBytes => {
  const { from, to } = reduction;
  const passed = passesOn(reduction) ? turnsOf(reduction, rank) : [];
  const owners = passesOn(reduction) ? from : to;
  const othersIn = (members: readonly number[]): number =>
    members.length - (members.includes(rank) ? 1 : 0);
  let sent = 0;
  let received = 0;
  let largestPiece = 0;
  for (const { slice, sources, target } of passed) {
    if (target !== undefined) sent += slice.bytes;
    received += sources.length * slice.bytes;
    largestPiece = Math.max(largestPiece, slice.bytes);
  }
  for (const [k, { bytes }] of handedOut(reduction).entries()) {
    largestPiece = Math.max(largestPiece, bytes);
    if (owners[k] === rank) {
      sent += othersIn(to) * bytes;
      if (passed.length === 0) received += othersIn(from) * bytes;
    } else {
      if (to.includes(rank)) received += bytes;
      if (passed.length === 0 && from.includes(rank)) sent += bytes;
    }
  }
  return { sent, received, largestPiece };
};

/** Elements. */
interface Pieces {
  readonly sum: number;
  readonly largest: number;
}

interface Summary extends Pieces {
  /** Equal to the largest where two are as large. */
  readonly second: number;
}

const summarise = (sizes: readonly number[]): Summary => {
  let sum = 0;
  let largest = 0;
  let second = 0;
  for (const size of sizes) {
    sum += size;
    second = Math.max(second, Math.min(size, largest));
    largest = Math.max(largest, size);
  }
  return { sum, largest, second };
};

/** The function, asked once for each list. */
const kept = <T>(of: (list: readonly number[]) => T): ((list: readonly number[]) => T) => {
  const known = new WeakMap<readonly number[], { readonly value: T }>();
  return (list) => {
    const found = known.get(list) ?? { value: of(list) };
    known.set(list, found);
    return found.value;
  };
};
