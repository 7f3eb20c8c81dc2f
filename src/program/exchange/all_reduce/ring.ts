// Each slice goes from rank to rank and every rank adds its own summand; the last one broadcasts the sum.

import { recvReduce, recvReduceSend, send, type ReduceStep } from "../reduce_step.ts";
import type { ReduceAlgorithm } from "./algorithm.ts";
import { slicesOf } from "./reduction.ts";

export const ring: ReduceAlgorithm = {
  sameRanks: true,
  steps(reduction, rank) {
    const { from } = reduction;
    const ranks = from.length;
    const own = from.indexOf(rank);
    const slices = slicesOf(reduction, ranks);
    const member = (at: number): readonly number[] => from.slice(at % ranks, (at % ranks) + 1);
    const [ahead, behind] = [member(own + 1), member(own + ranks - 1)];
    return Array.from({ length: ranks }, (_, k): ReduceStep[] => {
      const slice = slices[(own - 1 - k + 2 * ranks) % ranks];
      if (slice === undefined || slice.bytes === 0) return [];
      if (k === 0) return [send(slice, ahead)];
      const summands = [...behind, rank];
      return k < ranks - 1
        ? [recvReduceSend(slice, summands, rank, ahead)]
        : [recvReduce(slice, summands, rank)];
    }).flat();
  },
  owners: ({ from }) => from,
  summands: () => 2,
  hops: (ranks) => ranks,
};
