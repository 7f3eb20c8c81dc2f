// Every reader gets all summands and adds them itself. One hop: the least time for few bytes.

import { recvReduce, send } from "../reduce_step.ts";
import type { ReduceAlgorithm } from "./algorithm.ts";
import { bytesOfSum, sliceOf } from "./reduction.ts";

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
  wire(reduction, { i, j, sources, targets }) {
    const bytes = bytesOfSum(reduction);
    const [away, into] = [i < 0 ? 0 : targets, j < 0 ? 0 : sources];
    return {
      sent: away * bytes,
      received: into * bytes,
      largestPiece: away + into === 0 ? 0 : bytes,
    };
  },
};
