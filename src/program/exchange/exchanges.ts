// Every collective as exchanges of pieces: the one description that running, sizing and checking it share.

import { bytesPerElement } from "../../kernels/storage.ts";
import type { Collective } from "../program.ts";
import { algorithmOf, handedOut, slicesOf } from "./algorithm.ts";
import type { Exchange } from "./chunks.ts";
import { starts } from "./pieces.ts";

/** Collectives whose sizes the program knows. */
export type SizedCollective = Exclude<Collective, { op: "expert-dispatch" | "expert-combine" }>;

/** What the router decides is known only when it runs. */
export const isSized = (collective: Collective): collective is SizedCollective =>
  collective.op !== "expert-dispatch" && collective.op !== "expert-combine";

/** The pieces that members of `from` give to members of `to`; of an all-reduce in turns: none. */
export function givenIn(collective: SizedCollective): Exchange {
  const { name, from, to, dtype, inPlace } = collective;
  const elementBytes = bytesPerElement(dtype);
  const groups = { name, from, to };
  switch (collective.op) {
    case "all-gather":
    case "gather": {
      const sizes = collective.counts.map((count) => count * elementBytes);
      const offsets = starts(sizes);
      return {
        ...groups,
        same: true,
        pieces: (i) => {
          const [targetOffset = 0, bytes = 0] = [offsets[i], sizes[i]];
          const isThere = inPlace === true && to.includes(from[i] ?? -1);
          return [{ sourceOffset: isThere ? targetOffset : 0, targetOffset, bytes }];
        },
      };
    }
    case "reduce-scatter":
    case "scatter": {
      const sizes = collective.counts.map((count) => count * elementBytes);
      const offsets = starts(sizes);
      return {
        ...groups,
        same: false,
        pieces: (_, j) => {
          const [sourceOffset = 0, bytes = 0] = [offsets[j], sizes[j]];
          const isThere = inPlace === true && from.includes(to[j] ?? -1);
          return [{ sourceOffset, targetOffset: isThere ? sourceOffset : 0, bytes }];
        },
      };
    }
    case "all-to-all": {
      const sizes = collective.counts.map((row) => row.map((count) => count * elementBytes));
      const sourceOffsets = sizes.map(starts);
      const targetOffsets = to.map((_, j) => starts(sizes.map((row) => row[j] ?? 0)));
      return {
        ...groups,
        same: false,
        pieces: (i, j) => [
          {
            sourceOffset: sourceOffsets[i]?.[j] ?? 0,
            targetOffset: targetOffsets[j]?.[i] ?? 0,
            bytes: sizes[i]?.[j] ?? 0,
          },
        ],
      };
    }
    case "all-reduce":
    case "reduce": {
      const algorithm = algorithmOf(collective);
      if (algorithm === "direct")
        return { ...groups, same: true, pieces: () => slicesOf(collective, 1) };
      if (algorithm !== "two-shot") return { ...groups, same: false, pieces: () => [] };
      const slices = slicesOf(collective, to.length);
      return { ...groups, same: false, pieces: (_, j) => slices.slice(j, j + 1) };
    }
    case "broadcast":
    case "send":
    case "recv": {
      const bytes = collective.count * elementBytes;
      return { ...groups, same: true, pieces: () => [{ sourceOffset: 0, targetOffset: 0, bytes }] };
    }
  }
}

/** The second hop of an all-reduce: summed slices on their way from `receive` to the same place. */
export function handedOutIn(collective: SizedCollective): Exchange | undefined {
  if (collective.op !== "all-reduce" && collective.op !== "reduce") return undefined;
  const slices = handedOut(collective);
  if (slices.length === 0) return undefined;
  const { name, from, to } = collective;
  const owners = algorithmOf(collective) === "two-shot" ? to : from;
  return {
    name,
    from: owners.slice(0, slices.length),
    to,
    same: true,
    pieces: (i) => slices.slice(i, i + 1),
  };
}
