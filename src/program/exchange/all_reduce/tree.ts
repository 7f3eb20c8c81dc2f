// Sums go up one binary tree for all elements; its root broadcasts them. The least messages for many ranks.

import { recvReduceSend, send } from "../reduce_step.ts";
import type { ReduceAlgorithm } from "./algorithm.ts";
import { sliceOf } from "./reduction.ts";

export const tree: ReduceAlgorithm = {
  sameRanks: true,
  steps(reduction, rank) {
    const { from } = reduction;
    const own = from.indexOf(rank);
    const whole = sliceOf(reduction, 1, 0);
    const children = from.slice(2 * own + 1, 2 * own + 3);
    const above = (own - 1) >> 1;
    const parent = own === 0 ? [] : from.slice(above, above + 1);
    if (children.length === 0) return [send(whole, parent)];
    return [recvReduceSend(whole, [...children, rank], rank, parent)];
  },
  owners: ({ from }) => from.slice(0, 1),
  summands: ({ from }) => Math.min(3, from.length),
  hops: (ranks) => Math.floor(Math.log2(ranks)) + 1,
};
