// Tapes straight from lowering, for plans of thousands of GPUs: the first micro-batch is kept once, and every
// other plays the same lists again; what one rank does between two transfers is one op, and equal ops are one.

import type { Plan } from "../../plan/plan.ts";
import { lowering } from "../lower.ts";
import type { Instruction } from "../program.ts";
import type { SlotOps } from "../passes/schedule.ts";
import { createStream } from "../stream.ts";
import { noCost, type Cost } from "./cost.ts";
import { createMailboxes, createTaping, type TapeOp, type RankTape, type Tapes } from "./tape.ts";

/** @param costOf an instruction of a rank, told in the order of lowering */
export function streamTapes(
  plan: Plan,
  costOf: (rank: number, instruction: Instruction) => Cost,
): Tapes {
  const { hardware, workload } = plan;
  const mailboxes = createMailboxes();
  const opOf = createInterning();
  const tapings = Array.from({ length: hardware.gpus }, (_, rank) => createTaping(mailboxes, rank));
  /** By rank, of each list of ops, which several micro-batches play. */
  const recorded = Array.from(
    { length: hardware.gpus },
    () => new Map<SlotOps["ops"], Recording>(),
  );
  let current: SlotOps["ops"] = [];

  const stream = createStream(hardware.gpus, workload.dtype, {
    allocate() {},
    add(rank, instruction) {
      const own = recorded[rank];
      if (own === undefined) return;
      const recording = own.get(current) ?? { ops: [], computeMs: 0 };
      own.set(current, recording);
      const cost = costOf(rank, instruction);
      for (const op of tapings[rank]?.(instruction, cost) ?? []) {
        if (op.transfer === undefined) {
          recording.computeMs += op.cost.compute + op.cost.reduce;
          continue;
        }
        settle(recording, opOf);
        recording.ops.push(op);
      }
    },
  });
  const { slots, emit } = lowering(plan, stream, workload.microBatches);
  for (const slot of slots) {
    if (slot.microBatch > 0) continue;
    current = slot.ops;
    emit(slot);
  }
  const playedAt = new Map<SlotOps["ops"], number[]>();
  for (const [at, { ops }] of slots.entries()) {
    const own = playedAt.get(ops);
    if (own === undefined) playedAt.set(ops, [at]);
    else own.push(at);
  }
  const ranks = recorded.map((own, rank): RankTape => {
    const parts = [...own].flatMap(([ops, recording]) => {
      settle(recording, opOf);
      return (playedAt.get(ops) ?? []).map((at) => ({ at, ops: recording.ops }));
    });
    return { rank, parts: parts.toSorted((a, b) => a.at - b.at).map(({ ops }) => ops) };
  });
  return { ranks, readers: mailboxes.readers, reads: mailboxes.reads() };
}

interface Recording {
  readonly ops: TapeOp[];
  /** Since the last transfer. */
  computeMs: number;
}

/** What was computed since the last transfer becomes an op. */
function settle(recording: Recording, opOf: (computeMs: number) => TapeOp): void {
  if (recording.computeMs === 0) return;
  recording.ops.push(opOf(recording.computeMs));
  recording.computeMs = 0;
}

function createInterning(): (computeMs: number) => TapeOp {
  const known = new Map<number, TapeOp>();
  return (computeMs) => {
    const found = known.get(computeMs) ?? { cost: { ...noCost, compute: computeMs } };
    known.set(computeMs, found);
    return found;
  };
}
