// What every element must be that a collective of `collective_program.ts` leaves on a rank.

import { floatsOfHalves } from "../kernels/half.ts";
import type { StorageType } from "../kernels/storage.ts";
import {
  type BenchedCollective,
  extentsOf,
  collectiveRanks,
  ownStart,
  type BufferPlace,
  sentContent,
} from "../program/collective_program.ts";
import { fillContent } from "../program/content_values.ts";
import { hashSource } from "../program/hash_source.ts";

export interface CheckedCollective {
  readonly op: BenchedCollective;
  readonly ranks: number;
  readonly dtype: StorageType;
  readonly count: number;
  readonly place: BufferPlace;
}

/** Gives, for one rank and its bytes, how many of its elements are wrong. */
export function createCollectiveCheck(
  checked: CheckedCollective,
  seed: number,
): (rank: number, bytes: Uint8Array<ArrayBuffer>) => number {
  const { op, ranks, dtype, count, place } = checked;
  const { from, to } = collectiveRanks(op, ranks);
  const { sent, received } = extentsOf(op, ranks, count);
  const given = from.map((rank) =>
    numbersOf(fillContent(sentContent(rank, count, sent), hashSource(seed), dtype), dtype),
  );
  const isSum = op === "all-reduce" || op === "reduce" || op === "reduce-scatter";
  const isSplit = op === "reduce-scatter" || op === "scatter" || op === "all-to-all";
  // A sum of n is rounded n − 1 times, and once more to be stored.
  const unit = dtype === "f16" ? 2 ** -11 : 2 ** -24;

  return (rank, bytes) => {
    const result = numbersOf(bytes, dtype);
    const member = to.indexOf(rank);
    const inPlace = place === "in-place" && from.includes(rank);
    const first = inPlace && received < sent ? ownStart(op, rank, count) : 0;
    const start = isSplit ? member * count : 0;
    let wrong = 0;
    for (let e = 0; e < received; e++) {
      const actual = result[first + e] ?? Number.NaN;
      if (isSum) {
        let sum = 0;
        let size = 0;
        for (const values of given) {
          const value = values[start + e] ?? Number.NaN;
          sum += value;
          size += Math.abs(value);
        }
        if (!(Math.abs(actual - sum) <= given.length * unit * size)) wrong += 1;
      } else {
        const source = given.length === 1 ? 0 : Math.floor(e / count);
        if (actual !== given[source]?.[start + (given.length === 1 ? e : e % count)]) wrong += 1;
      }
    }
    return wrong;
  };
}

function numbersOf(bytes: Uint8Array<ArrayBuffer>, dtype: StorageType): Float32Array {
  const { buffer, byteOffset, byteLength } = bytes;
  if (dtype === "f32") return new Float32Array(buffer, byteOffset, byteLength / 4);
  return floatsOfHalves(new Uint16Array(buffer, byteOffset, byteLength / 2));
}
