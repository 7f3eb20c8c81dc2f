// From the figures of one set of data replicas to those of the whole plan.

import type { Symmetry } from "./symmetry.ts";
import { mostGroups, type CollectiveEstimate, type RankEstimate, type Totals } from "./tally.ts";

/** One record per GPU: that of the rank that stands for it, or `nothing`. */
export function expand<Item extends { readonly rank: number }>(
  items: readonly Item[],
  { standsFor }: Symmetry,
  gpus: number,
  nothing: Item,
): Item[] {
  return Array.from({ length: gpus }, (_, rank) => ({
    ...(items[standsFor(rank) ?? -1] ?? nothing),
    rank,
  }));
}

const noWork: RankEstimate = {
  rank: -1,
  flops: 0,
  kernelBytes: 0,
  memoryBytes: 0,
  memoryByRole: {},
  sentBytes: 0,
  receivedBytes: 0,
};

export function expandTotals(totals: Totals, symmetry: Symmetry, gpus: number): Totals {
  const { copies } = symmetry;
  return {
    ranks: expand(totals.ranks, symmetry, gpus, noWork),
    layers: totals.layers.map(({ layer, flops, kernelBytes, wireBytes }) => ({
      layer,
      flops: flops * copies,
      kernelBytes: kernelBytes * copies,
      wireBytes: wireBytes * copies,
    })),
    kernels: totals.kernels.map(({ kernel, calls, flops, kernelBytes }) => ({
      kernel,
      calls: calls * copies,
      flops: flops * copies,
      kernelBytes: kernelBytes * copies,
    })),
    collectives: totals.collectives.map((each) => ({
      ...each,
      groups: groupsOfCopies(each, symmetry),
      instances: each.instances * copies,
      calls: each.calls * copies,
      wireBytes: each.wireBytes * copies,
    })),
  };
}

function groupsOfCopies(
  { groups }: CollectiveEstimate,
  { copies, inCopy }: Symmetry,
): CollectiveEstimate["groups"] {
  const shown = Math.min(copies, Math.ceil(mostGroups / Math.max(1, groups.length)));
  return Array.from({ length: shown }, (_, copy) =>
    groups.map(({ from, to }) => ({
      from: from.map((rank) => inCopy(rank, copy)),
      to: to.map((rank) => inCopy(rank, copy)),
    })),
  )
    .flat()
    .slice(0, mostGroups);
}
