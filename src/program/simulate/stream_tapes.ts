// Tapes straight from lowering, for plans of thousands of GPUs: the first micro-batch is kept once, and every
// other plays the same lists again; what one rank does between two transfers is one op, and equal ops are one.

import type { Plan } from "../../plan/plan.ts";
import { lowering } from "../lower.ts";
import type { Instruction } from "../program.ts";
import type { SlotOps } from "../passes/schedule.ts";
import { createStream } from "../stream.ts";
import { type Cost, costKinds, noCost } from "./cost.ts";
import { createMailboxes, createTaping, type TapeOp, type RankTape, type Tapes } from "./tape.ts";

/**
 * @param costOf an instruction of a rank, told in the order of lowering
 * @param rest what the end of a rank's step costs
 */
export function streamTapes(
  plan: Plan,
  costOf: (rank: number, instruction: Instruction) => Cost,
  rest: Cost = noCost,
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
      const recording = own.get(current) ?? { ops: [], since: { ...noCost } };
      own.set(current, recording);
      const cost = costOf(rank, instruction);
      for (const op of tapings[rank]?.(instruction, cost) ?? []) {
        if (op.transfer === undefined) {
          for (const kind of costKinds) recording.since[kind] += op.cost[kind];
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
    const inOrder = parts.toSorted((a, b) => a.at - b.at).map(({ ops }) => ops);
    return { rank, parts: rest === noCost ? inOrder : [...inOrder, [{ cost: rest }]] };
  });
  return { ranks, readers: mailboxes.readers, reads: mailboxes.reads() };
}

interface Recording {
  readonly ops: TapeOp[];
  /** What was done since the last transfer. */
  since: { -readonly [Kind in keyof Cost]: number };
}

/** What was done since the last transfer becomes an op. */
function settle(recording: Recording, opOf: (cost: Cost) => TapeOp): void {
  if (costKinds.every((kind) => recording.since[kind] === 0)) return;
  recording.ops.push(opOf(recording.since));
  recording.since = { ...noCost };
}

function createInterning(): (cost: Cost) => TapeOp {
  const known = new Map<string, TapeOp>();
  return (cost) => {
    const key = costKinds.map((kind) => cost[kind]).join(" ");
    const found = known.get(key) ?? { cost };
    known.set(key, found);
    return found;
  };
}
