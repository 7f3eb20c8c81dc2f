// The second phase of an all-reduce: owners send their summed slices to all readers.

import type { Exchange } from "../chunks.ts";
import { recv, send, type ReduceStep } from "../reduce_step.ts";
import { algorithmOf, type RequestedReduction } from "./algorithms.ts";
import { slicesOf } from "./reduction.ts";

/** Summed slices on their way from where they were summed to the same place; undefined where there are none. */
export function broadcastPhase(reduction: RequestedReduction): Exchange | undefined {
  const { name, to } = reduction;
  const owners = algorithmOf(reduction).owners(reduction);
  if (owners.length === 0) return undefined;
  const slices = slicesOf(reduction, owners.length);
  return { name, from: owners, to, same: true, pieces: (i) => slices.slice(i, i + 1) };
}

/** The same as steps of one rank, its own slice first. */
export function broadcastSteps(reduction: RequestedReduction, rank: number): ReduceStep[] {
  const { to } = reduction;
  const owners = algorithmOf(reduction).owners(reduction);
  const isReader = to.includes(rank);
  const sends: ReduceStep[] = [];
  const receives: ReduceStep[] = [];
  for (const [k, slice] of slicesOf(reduction, owners.length).entries()) {
    const owner = owners[k];
    if (owner === undefined || slice.bytes === 0) continue;
    if (owner !== rank) {
      if (isReader) receives.push(recv(slice, owner));
      continue;
    }
    const readers = to.filter((reader) => reader !== rank);
    if (readers.length > 0) sends.push(send(slice, readers));
  }
  return [...sends, ...receives];
}
