// The order in which ranks work: the ops of every micro-batch, forward and backward, cut into slots of the pipeline
// ranks. Each rank's ops come in the order of its own slots; the slots of all pipeline ranks together in one in which
// every rank could run them.

import type { Op } from "../op.ts";
import type { Scheduling } from "../schedule/scheduling.ts";
import type { Extent, Slot } from "../schedule/slot.ts";
import { timeline } from "../schedule/timeline.ts";
import type { DifferentiatedOps } from "./synthesize_backward.ts";

/**
 * The ops of one slot, on the ranks of one pipeline rank. Slots that differ only in their micro-batch have the same list. Of
 * a plan whose stages are no pipeline: those of one micro-batch, on all ranks.
 */
export interface SlotOps {
  readonly microBatch: number;
  readonly ops: readonly Op[];
}

/** @param microBatches how many of them; all are alike */
export function schedule(
  ops: DifferentiatedOps,
  scheduling: Scheduling | undefined,
  microBatches: number,
): SlotOps[] {
  if (scheduling === undefined) {
    return everyMicroBatch([...ops.forward, ...ops.backward], microBatches);
  }
  const { parts, beside } = cut(ops, scheduling);
  const extent = { ...scheduling.schedule, microBatches };
  const rows = timeline(extent, () => 1);
  const used = new Set<number>();
  const slots = rows
    .flatMap((row, pipelineRank) =>
      row.map((slot) => ({ slot, key: keyOf(extent, pipelineRank, slot) })),
    )
    // What a slot waits for starts before it.
    .toSorted((a, b) => a.slot.start - b.slot.start)
    .flatMap(({ slot: { microBatch }, key }): SlotOps[] => {
      used.add(key);
      const own = parts.get(key);
      return own === undefined ? [] : [{ microBatch, ops: own }];
    });
  const left = [...parts].filter(([key]) => !used.has(key)).flatMap(([, own]) => own);
  if (left.length > 0) throw new Error(`${left[0]?.origin.layer}: ${left.length} ops in no slot`);
  return [...slots, ...(beside.length === 0 ? [] : everyMicroBatch(beside, microBatches))];
}

function everyMicroBatch(ops: readonly Op[], microBatches: number): SlotOps[] {
  return Array.from({ length: microBatches }, (_, microBatch) => ({ microBatch, ops }));
}

function keyOf(
  { virtualStages }: Extent,
  pipelineRank: number,
  { phase, chunk }: Pick<Slot, "phase" | "chunk">,
): number {
  return (2 * pipelineRank + (phase === "forward" ? 0 : 1)) * virtualStages + chunk;
}

interface Parts {
  /** By pipeline rank, phase and chunk. */
  readonly parts: ReadonlyMap<number, readonly Op[]>;
  /** On ranks of no stage, to which a communication of the plan brings something. */
  readonly beside: readonly Op[];
}

function cut(
  { forward, backward }: DifferentiatedOps,
  { schedule: extent, places }: Scheduling,
): Parts {
  const parts = new Map<number, Op[]>();
  const beside: Op[] = [];
  for (const op of [...forward, ...backward]) {
    const { phase } = op.origin;
    if (phase === "update") throw new Error(`${op.origin.layer}: an update among micro-batches`);
    const ranksOf = new Map<number | undefined, number[]>();
    for (const rank of op.ranks) {
      const pipelineRank = places.pipelineRankOf(rank);
      const chunk = places.chunkOf(rank, op.origin);
      const key =
        pipelineRank === undefined ? undefined : keyOf(extent, pipelineRank, { phase, chunk });
      const ranks = ranksOf.get(key);
      if (ranks === undefined) ranksOf.set(key, [rank]);
      else ranks.push(rank);
    }
    for (const [key, ranks] of ranksOf) {
      const own = ranksOf.size === 1 ? op : onRanks(op, ranks);
      if (key === undefined) {
        beside.push(own);
        continue;
      }
      const slot = parts.get(key);
      if (slot === undefined) parts.set(key, [own]);
      else slot.push(own);
    }
  }
  return { parts, beside };
}

/** The op for some of its ranks. */
function onRanks(op: Op, ranks: readonly number[]): Op {
  if (op.op === "observe") {
    return { ...op, ranks, shown: ranks.flatMap((rank) => op.shown[op.ranks.indexOf(rank)] ?? []) };
  }
  if (op.op === "slice-columns") throw new Error(`${op.origin.layer}: columns of several slots`);
  return { ...op, ranks };
}
