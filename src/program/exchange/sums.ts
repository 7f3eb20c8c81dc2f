// What a rank has to add for a collective, block by block, and what must be moved within words.

import { bytesPerElement, type StorageType } from "../../kernels/storage.ts";
import { addsOnHost, algorithmOf, bindingUnit, type Reduction, turnsOf } from "./algorithm.ts";
import { blocksOf, chunksOf, type Exchange, isWhole, type Take } from "./chunks.ts";
import { givenIn, handedOutIn, isSized } from "./exchanges.ts";
import type { AllReduce, Collective, ReduceScatter } from "../program.ts";

/** One dispatch: the sum of that many summands of `block`, which lie side by side in the workspace. */
export interface Sum {
  readonly summands: number;
  readonly block: Take;
}

export function sumsOf(collective: Collective, rank: number): Sum[] {
  if (!isSized(collective)) return [];
  const { from, to } = collective;
  if (!reduces(collective) || from.length < 2) return [];
  if (isAllReduce(collective) && addsOnHost(collective)) return [];
  if (isAllReduce(collective) && passesOn(collective)) {
    return turnsOf(collective, rank).flatMap(({ slice, sources }) =>
      sources.length === 0
        ? []
        : blocksOf(slice).map((block) => ({ summands: 1 + sources.length, block })),
    );
  }
  const j = to.indexOf(rank);
  if (j < 0) return [];
  return givenIn(collective)
    .pieces(0, j)
    .flatMap(blocksOf)
    .map((block) => ({ summands: from.length, block }));
}

export const reduces = (collective: Collective): collective is AllReduce | ReduceScatter =>
  isAllReduce(collective) || collective.op === "reduce-scatter";

export const isAllReduce = (collective: Collective): collective is AllReduce =>
  collective.op === "all-reduce" || collective.op === "reduce";

/** Whether sums go from rank to rank. */
export const passesOn = (reduction: Reduction): boolean =>
  ["ring", "tree"].includes(algorithmOf(reduction));

/** Whether the fast kernel can write it where it belongs: buffers consist of whole quads. */
export const isAligned = ({ head, targetOffset }: Take): boolean =>
  head === 0 && targetOffset % bindingUnit === 0;

/** Bytes from one summand to the next: whole quads. */
export const summandPitch = (words: number, dtype: StorageType): number => {
  const quad = 4 * bytesPerElement(dtype);
  return Math.ceil(words / quad) * quad;
};

/** Takes that share words with their neighbours: a kernel puts them in place, one dispatch each. */
export function oddTakesOf(collective: Collective, rank: number): Take[] {
  if (!isSized(collective)) return [];
  const sums = reduces(collective) && collective.from.length > 1;
  return [sums ? undefined : givenIn(collective), handedOutIn(collective)].flatMap((exchange) =>
    exchange === undefined ? [] : takenIn(exchange, rank).filter((take) => !isWhole(take)),
  );
}

/** All that arrives on a rank, its own pieces included. */
function takenIn(exchange: Exchange, rank: number): Take[] {
  const j = exchange.to.indexOf(rank);
  if (j < 0) return [];
  return exchange.from.flatMap((source, i) =>
    source === rank
      ? exchange.pieces(i, j).flatMap(blocksOf)
      : chunksOf(exchange, i).flatMap(({ takes }) =>
          takes.filter(({ readers }) => readers.includes(rank)),
        ),
  );
}
