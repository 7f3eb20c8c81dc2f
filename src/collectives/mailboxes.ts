// How large every mailbox must be: known from the program before any rank starts.

import { chunkBytes } from "../program/exchange/chunks.ts";
import { laneOf } from "../program/exchange/lanes.ts";
import { messagesOf } from "../program/exchange/workspace.ts";
import {
  type Collective,
  collectiveOf,
  type Program,
  type RankProgram,
} from "../program/program.ts";
import { depthOf, type MailboxPlan } from "./transport/communicator.ts";

/**
 * Of programs that take turns on the same ranks. One mailbox per lane and source. It holds all that any one transfer posts to it, so that whoever sends
 * never waits for a reader that is busy elsewhere.
 */
export function mailboxPlans(programs: readonly Program[]): MailboxPlan[] {
  const plans = new Map<string, MailboxPlan>();
  for (const rankProgram of programs.flatMap(({ ranks }) => ranks)) {
    for (const instruction of rankProgram.instructions) {
      const transfer = collectiveOf(instruction);
      if (transfer === undefined) continue;
      for (const plan of mailboxesOf(rankProgram, transfer)) {
        const key = `${plan.channel} ${plan.source}`;
        plans.set(key, larger(plan, plans.get(key)));
      }
    }
  }
  return [...plans.values()];
}

function larger(plan: MailboxPlan, known: MailboxPlan | undefined): MailboxPlan {
  return {
    ...plan,
    bytes: Math.max(plan.bytes, known?.bytes ?? 0),
    depth: Math.max(depthOf(plan), known === undefined ? 0 : depthOf(known)),
    readers: [...new Set([...(known?.readers ?? []), ...plan.readers])],
  };
}

function mailboxesOf(program: RankProgram, instruction: Collective): MailboxPlan[] {
  const { channel, from, to } = instruction;
  const source = program.rank;
  const others = (members: readonly number[]): number[] =>
    [...new Set(members)].filter((rank) => rank !== source);
  if (instruction.op === "expert-dispatch" || instruction.op === "expert-combine") {
    const isDispatch = instruction.op === "expert-dispatch";
    // Every source must learn what the others send to a full expert.
    const readers = others(isDispatch ? [...from, ...to] : to);
    if (!from.includes(source) || readers.length === 0) return [];
    const rows = program.buffers.find(({ id }) => id === instruction.send)?.bytes ?? 0;
    const counts = isDispatch ? 4 * instruction.expertsPerRank.reduce((a, b) => a + b, 0) : 0;
    const bytes = Math.min(chunkBytes, Math.max(rows, counts));
    // A chunk and the next are together longer than one; and the counts go ahead.
    const depth = 2 * Math.ceil(rows / chunkBytes) + 2;
    return [{ channel: laneOf(channel, 0), source, readers, bytes, depth }];
  }
  return messagesOf(instruction, source).flatMap((chunks, phase): MailboxPlan[] => {
    const readers = others([...from, ...to]);
    if (chunks.length === 0 || readers.length === 0) return [];
    const lane = laneOf(channel, phase === 0 ? 0 : 1);
    return [{ channel: lane, source, readers, bytes: Math.max(...chunks), depth: chunks.length }];
  });
}
