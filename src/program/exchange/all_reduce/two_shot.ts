// Every reader adds one slice and broadcasts it to the others: a reduce-scatter, then an all-gather. Each element is
// added once.

import { reduceScatterSteps } from "../reduce_step.ts";
import type { ReduceAlgorithm } from "./algorithm.ts";
import { bytesOfSum, sliceOf, slicesOf } from "./reduction.ts";

export const twoShot: ReduceAlgorithm = {
  sameRanks: false,
  hostSum: "slices",
  steps: (reduction, rank) =>
    reduceScatterSteps(reduction, slicesOf(reduction, reduction.to.length), rank),
  owners: ({ to }) => to,
  summands: ({ from }) => from.length,
  hops: () => 2,
  wire(reduction, { i, j, sources, targets }) {
    const slices = reduction.to.length;
    const own = j < 0 ? 0 : sliceOf(reduction, slices, j).bytes;
    const others = bytesOfSum(reduction) - own;
    return {
      sent: (i < 0 ? 0 : others) + targets * own,
      received: (j < 0 ? 0 : others) + sources * own,
      largestPiece: sliceOf(reduction, slices, 0).bytes,
    };
  },
};
