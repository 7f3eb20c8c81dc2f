// Tapes straight from lowering, for plans of thousands of GPUs: the first micro-batch is kept once, and every
// other plays the same lists again; what one rank does between two transfers is one op, and equal ops are one.

import type { Plan } from "../../plan/plan.ts";
import { lowering } from "../lower.ts";
import type { Instruction } from "../program.ts";
import { slotsOf } from "../schedule/schedule.ts";
import { schedulingOf } from "../schedule/scheduling.ts";
import { createStream } from "../stream.ts";
import { noCost, type Cost } from "./cost.ts";
import { createMailboxes, createTaping, type TapeOp, type RankTape, type Tapes } from "./tape.ts";

/** @param costOf an instruction of a rank, told in the order of lowering */
export function streamTapes(
  plan: Plan,
  costOf: (rank: number, instruction: Instruction) => Cost,
): Tapes {
  const { hardware, workload } = plan;
  const scheduling = schedulingOf(plan);
  const mailboxes = createMailboxes();
  const opOf = createInterning();
  const tapings = Array.from({ length: hardware.gpus }, (_, rank) => createTaping(mailboxes, rank));
  const recorded = Array.from({ length: hardware.gpus }, () => new Map<string, Recording>());

  const keyAt = (rank: number, { origin }: Instruction): string =>
    scheduling === undefined
      ? everything
      : `${origin.phase} ${scheduling.places.chunkOf(rank, origin)}`;
  const stream = createStream(hardware.gpus, workload.dtype, {
    allocate() {},
    add(rank, instruction) {
      const own = recorded[rank];
      if (own === undefined) return;
      const key = keyAt(rank, instruction);
      const recording = own.get(key) ?? { ops: [], computeMs: 0 };
      own.set(key, recording);
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
  lowering(plan, stream, scheduling).emitMicroBatch(0);

  const ranks = recorded.map((own, rank): RankTape => {
    for (const recording of own.values()) settle(recording, opOf);
    const opsOf = (key: string): readonly TapeOp[] => own.get(key)?.ops ?? [];
    const pipelineRank = scheduling?.places.pipelineRankOf(rank);
    if (scheduling === undefined || pipelineRank === undefined) {
      const ops = [...own.values()].flatMap((each) => each.ops);
      return { rank, parts: Array.from({ length: workload.microBatches }, () => ops) };
    }
    const slots = slotsOf(scheduling.schedule, pipelineRank);
    return { rank, parts: slots.map(({ phase, chunk }) => opsOf(`${phase} ${chunk}`)) };
  });
  return { ranks, readers: mailboxes.readers, reads: mailboxes.reads() };
}

const everything = "all";

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
