// How large every mailbox must be: known from the program before any rank starts.

import { bytesPerElement } from "../kernels/storage.ts";
import {
  type Collective,
  collectiveOf,
  type Program,
  type RankProgram,
} from "../program/program.ts";
import type { MailboxPlan } from "./communicator.ts";

/** One mailbox per (channel, source), large enough for every transfer on that channel. */
export function mailboxPlans(program: Program): MailboxPlan[] {
  const plans = new Map<string, MailboxPlan>();
  for (const rankProgram of program.ranks) {
    for (const instruction of rankProgram.instructions) {
      const transfer = collectiveOf(instruction);
      if (transfer === undefined) continue;
      const plan = mailboxOf(rankProgram, transfer);
      if (plan === undefined) continue;
      const key = `${plan.channel} ${plan.source}`;
      plans.set(key, larger(plan, plans.get(key)));
    }
  }
  return [...plans.values()];
}

const larger = (plan: MailboxPlan, known: MailboxPlan | undefined): MailboxPlan => ({
  ...plan,
  bytes: Math.max(plan.bytes, known?.bytes ?? 0),
  readers: [...new Set([...(known?.readers ?? []), ...plan.readers])],
});

const mailboxOf = (program: RankProgram, instruction: Collective): MailboxPlan | undefined => {
  const { channel, from, to } = instruction;
  const source = program.rank;
  if (!from.includes(source)) return undefined;
  // Every source must learn what the others send to a full expert.
  const listeners = instruction.op === "expert-dispatch" ? [...from, ...to] : to;
  const readers = [...new Set(listeners)].filter((rank) => rank !== source);
  if (readers.length === 0) return undefined;
  return { channel, source, readers, bytes: largestMessage(program, instruction) };
};

/**
 * Bytes of the longest message that this rank sends for the instruction, which is also what its staging
 * buffer must hold; an upper bound where the router decides.
 */
export function largestMessage(program: RankProgram, instruction: Collective): number {
  const elementBytes = bytesPerElement(instruction.dtype);
  const at = instruction.from.indexOf(program.rank);
  const away = instruction.to.flatMap((rank, j) => (rank === program.rank ? [] : [j]));
  const sumAway = (counts: readonly number[]): number =>
    away.reduce((sum, j) => sum + (counts[j] ?? 0), 0) * elementBytes;
  switch (instruction.op) {
    case "all-gather":
      return away.length === 0 ? 0 : (instruction.counts[at] ?? 0) * elementBytes;
    case "all-reduce":
    case "broadcast":
    case "send":
    case "recv":
      return away.length === 0 ? 0 : instruction.count * elementBytes;
    case "reduce-scatter":
      return sumAway(instruction.counts);
    case "all-to-all":
      return sumAway(instruction.counts[at] ?? []);
    case "expert-dispatch":
      return Math.max(declaredBytes(program, instruction.send), 4 * expertCount(instruction));
    case "expert-combine":
      return declaredBytes(program, instruction.send);
  }
}

const expertCount = ({ expertsPerRank }: { readonly expertsPerRank: readonly number[] }): number =>
  expertsPerRank.reduce((sum, experts) => sum + experts, 0);

const declaredBytes = (program: RankProgram, id: string | undefined): number =>
  program.buffers.find((buffer) => buffer.id === id)?.bytes ?? 0;
