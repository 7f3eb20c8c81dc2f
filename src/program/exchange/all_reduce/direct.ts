// Every reader gets all summands and adds them itself. One hop: the least time for few bytes.

import { recvReduce, send } from "../reduce_step.ts";
import type { ReduceAlgorithm } from "./algorithm.ts";
import { equalPieces, wireBytes } from "../traffic.ts";
import { sliceOf } from "./reduction.ts";

export const direct: ReduceAlgorithm = {
  sameRanks: false,
  hostSum: "whole",
  steps(reduction, rank) {
    const { from, to } = reduction;
    const whole = sliceOf(reduction, 1, 0);
    const readers = from.includes(rank) ? to.filter((reader) => reader !== rank) : [];
    return [
      ...(readers.length === 0 ? [] : [send(whole, readers)]),
      ...(to.includes(rank) ? [recvReduce(whole, from, rank)] : []),
    ];
  },
  owners: () => [],
  summands: ({ from }) => from.length,
  hops: () => 1,
  wire({ dtype, count }, member) {
    const { sources, targets } = member;
    return wireBytes(dtype, member, equalPieces(targets, count), equalPieces(sources, count));
  },
};
