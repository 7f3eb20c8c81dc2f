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
  const phase = broadcastPhase(reduction);
  if (phase === undefined) return [];
  const isReader = phase.to.includes(rank);
  const readers = phase.to.filter((reader) => reader !== rank);
  const sends: ReduceStep[] = [];
  const receives: ReduceStep[] = [];
  for (const [k, owner] of phase.from.entries()) {
    for (const slice of phase.pieces(k, 0)) {
      if (slice.bytes === 0) continue;
      if (owner !== rank) {
        if (isReader) receives.push(recv(slice, owner));
      } else if (readers.length > 0) sends.push(send(slice, readers));
    }
  }
  return [...sends, ...receives];
}
