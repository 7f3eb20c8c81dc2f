// Bytes that collectives move between ranks, counted where they arrive.

import { bytesPerElement } from "../kernels/storage.ts";
import type { Collective } from "./program.ts";
import { startsOf } from "./value.ts";

export interface WireBytes {
  readonly sent: number;
  readonly received: number;
}

/**
 * Payload that `rank` sends to and receives from other ranks; what stays on the rank does not count. The
 * splits of expert transfers are known only when they run: here tokens are balanced over the experts.
 *
 * @param expertRows rows that the whole dispatch moves, for expert transfers
 */
export const wireBytes = (collective: Collective, rank: number, expertRows: number): WireBytes => {
  const { from, to } = collective;
  const i = from.indexOf(rank);
  const j = to.indexOf(rank);
  const size = elementsBetween(collective, expertRows);
  const sum = (members: readonly number[], elements: (at: number) => number): number =>
    members.reduce((total, member, at) => total + (member === rank ? 0 : elements(at)), 0);
  const bytes = bytesPerElement(collective.dtype);
  return {
    sent: i < 0 ? 0 : bytes * sum(to, (at) => size(i, at)),
    received: j < 0 ? 0 : bytes * sum(from, (at) => size(at, j)),
  };
};

/** Elements from member i of `from` to member j of `to`. */
const elementsBetween = (
  collective: Collective,
  expertRows: number,
): ((i: number, j: number) => number) => {
  switch (collective.op) {
    case "all-gather":
      return (i) => collective.counts[i] ?? 0;
    case "all-reduce":
    case "broadcast":
    case "send":
    case "recv":
      return () => collective.count;
    case "reduce-scatter":
      return (_, j) => collective.counts[j] ?? 0;
    case "all-to-all":
      return (i, j) => collective.counts[i]?.[j] ?? 0;
    case "expert-dispatch":
    case "expert-combine": {
      const { expertsPerRank, rowElements } = collective;
      const experts = (startsOf(expertsPerRank).at(-1) ?? 0) + (expertsPerRank.at(-1) ?? 0);
      const dispatch = collective.op === "expert-dispatch";
      const sources = dispatch ? collective.from.length : collective.to.length;
      return (i, j) =>
        (((expertRows / sources) * (expertsPerRank[dispatch ? j : i] ?? 0)) / experts) *
        rowElements;
    }
  }
};
