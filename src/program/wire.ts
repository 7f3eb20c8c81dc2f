// Bytes that collectives move between ranks, counted where they arrive.

import { operationOf } from "./exchange/operations.ts";
import type { Lists, Pieces, WireBytes } from "./exchange/traffic.ts";
import type { Collective } from "./program.ts";

export type WireCount = (collective: Collective, rank: number) => WireBytes;

/** Thousands of ranks may share the lists of one collective: what follows from a list is kept. */
export function createWireCount(): WireCount {
  const placeIn = kept((members) => new Map(members.map((member, at) => [member, at])));
  const lists = createLists();
  return (collective, rank) => {
    const { from, to } = collective;
    const i = placeIn(from).get(rank) ?? -1;
    const j = placeIn(to).get(rank) ?? -1;
    const sources = from.length - (i < 0 ? 0 : 1);
    const targets = to.length - (j < 0 ? 0 : 1);
    return operationOf(collective).wire(collective, { rank, i, j, sources, targets }, lists);
  };
}

interface Summary extends Pieces {
  /** Equal to the largest where two are as large. */
  readonly second: number;
}

function createLists(): Lists {
  const summaryOf = kept(summarise);
  return {
    sum: (sizes) => summaryOf(sizes).sum,
    allBut(sizes, own, scale = 1) {
      const { sum, largest, second } = summaryOf(sizes);
      const size = sizes[own];
      if (size === undefined) return { sum: scale * sum, largest: scale * largest };
      return { sum: scale * (sum - size), largest: scale * (size === largest ? second : largest) };
    },
  };
}

function summarise(sizes: readonly number[]): Summary {
  let sum = 0;
  let largest = 0;
  let second = 0;
  for (const size of sizes) {
    sum += size;
    second = Math.max(second, Math.min(size, largest));
    largest = Math.max(largest, size);
  }
  return { sum, largest, second };
}

/** The function, asked once for each list. */
function kept<T>(of: (list: readonly number[]) => T): (list: readonly number[]) => T {
  const known = new WeakMap<readonly number[], { readonly value: T }>();
  return (list) => {
    const found = known.get(list) ?? { value: of(list) };
    known.set(list, found);
    return found.value;
  };
}
