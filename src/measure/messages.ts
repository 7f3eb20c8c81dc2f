// Which rank of a step waited for which: every transfer, from the moment its bytes leave a rank until another has them.

import { groupBy } from "../group_by.ts";
import { hopsOf } from "../program/exchange/hops.ts";
import {
  type Collective,
  collectiveOf,
  type Instruction,
  type Program,
} from "../program/program.ts";
import type { RankTrace, Span, StepTrace } from "../program/trace.ts";
import { createWireCount } from "../program/wire.ts";

/** All that one rank receives from another in one collective. */
export interface Flow {
  /** The collective's name. */
  readonly name: string;
  readonly channel: number;
  readonly from: number;
  readonly to: number;
  /** Begin of the sender's part, in ms of the step. */
  readonly startMs: number;
  /** End of the receiver's part. */
  readonly endMs: number;
  /** Its part of what the collective brings to the receiver: of equal size from each source. */
  readonly bytes: number;
}

/** One rank's part of one transfer. */
interface Part {
  readonly rank: number;
  readonly collective: Collective;
  readonly startMs: number;
  endMs: number;
}

/** In order of time. */
export function messagesOf(program: Program, trace: StepTrace): Flow[] {
  const byTransfer = groupBy(
    trace.ranks.flatMap((rank) => [...partsOf(program, rank)]),
    ([key]) => key,
  );
  const wire = createWireCount();
  const flows = [...byTransfer.values()].flatMap((found) => {
    const parts = new Map(found.map(([, part]) => [part.rank, part]));
    return [...parts.values()].flatMap((receiver): Flow[] => {
      const { collective, rank, endMs } = receiver;
      const sources = new Set(
        hopsOf(collective, rank).flatMap(({ recv }) => recv.map(({ source }) => source)),
      );
      const { received } = wire(collective, rank);
      return [...sources].flatMap((source) => {
        const sender = parts.get(source);
        if (sender === undefined) return [];
        const { startMs } = sender;
        const { name, channel } = collective;
        return [
          { name, channel, from: source, to: rank, startMs, endMs, bytes: received / sources.size },
        ];
      });
    });
  });
  return flows.toSorted((a, b) => a.startMs - b.startMs);
}

/** By what is the same on all ranks of a transfer: its channel, and how often that was used before. */
function partsOf(program: Program, rank: RankTrace): Map<string, Part> {
  const { instructions = [] } = program.ranks[rank.rank] ?? {};
  const spansOf = groupBy(rank.spans.filter(isCommunication), ({ instruction }) => instruction);
  const uses = new Map<number, number>();
  const open = new Map<number, Part>();
  const parts = new Map<string, Part>();
  for (const [index, instruction] of instructions.entries()) {
    const spans = spansOf.get(index) ?? [];
    if (instruction.op === "done") {
      const begun = open.get(instruction.channel);
      if (begun !== undefined) begun.endMs = Math.max(begun.endMs, ...spans.map(endOf));
      continue;
    }
    const collective = collectiveOf(instruction);
    if (collective === undefined) continue;
    const { channel } = collective;
    const use = uses.get(channel) ?? 0;
    uses.set(channel, use + 1);
    if (spans.length === 0) continue;
    const part: Part = {
      rank: rank.rank,
      collective,
      startMs: Math.min(...spans.map(({ startMs }) => startMs)),
      endMs: Math.max(...spans.map(endOf)),
    };
    if (isStart(instruction)) open.set(channel, part);
    parts.set(`${channel} ${use}`, part);
  }
  return parts;
}

function isStart({ op }: Instruction): boolean {
  return op === "start";
}

function endOf({ endMs }: Span): number {
  return endMs;
}

function isCommunication({ kind }: Span): boolean {
  return kind !== "compute" && kind !== "host" && kind !== "wait";
}
