// A program as the simulation plays it: per rank, what takes how long, and which messages it gives and takes.

import { collectiveOf, type Collective, type Instruction, type Program } from "../program.ts";
import { noCost, type Cost, type RankCosts } from "./cost.ts";

export interface Op {
  readonly cost: Cost;
  /** Index into the rank's instructions; absent where it stands for several. */
  readonly instruction?: number;
  readonly transfer?: TransferPart;
}

/** One rank's part of a transfer; of one that is started and done, the start gives and the end takes. */
export interface TransferPart {
  /** The host goes on while the bytes leave. */
  readonly isStart?: true;
  /** Mailbox that it posts in; absent where it gives nothing. */
  readonly gives?: number;
  /** In the order in which it takes. */
  readonly takes: readonly Take[];
}

export interface Take {
  readonly mailbox: number;
  /** Tells this reader of that mailbox from all other readers. */
  readonly reader: number;
}

export interface RankTape {
  readonly rank: number;
  /** One after the other; equal parts may be the same list. */
  readonly parts: readonly (readonly Op[])[];
}

export interface Tapes {
  readonly ranks: readonly RankTape[];
  /** How many must take each message of a mailbox. */
  readonly readers: readonly number[];
  /** Over all mailboxes. */
  readonly takes: number;
}

export interface Mailboxes {
  /** Undefined where the rank exchanges nothing with another. */
  partOf(transfer: Collective, rank: number): TransferPart | undefined;
  readonly readers: readonly number[];
  readonly takes: () => number;
}

/** A mailbox is (channel, source), as in a run. */
export const createMailboxes = (): Mailboxes => {
  const byChannel = new Map<number, Map<number, number>>();
  const takeIds = new Map<number, Map<number, number>>();
  const readers: number[] = [];
  let takes = 0;
  const idOf = (transfer: Collective, source: number): number => {
    const bySource = byChannel.get(transfer.channel) ?? new Map<number, number>();
    byChannel.set(transfer.channel, bySource);
    const known = bySource.get(source);
    if (known !== undefined) return known;
    bySource.set(source, readers.length);
    readers.push(transfer.to.length - (transfer.to.includes(source) ? 1 : 0));
    return readers.length - 1;
  };
  const takeOf = (mailbox: number, rank: number): Take => {
    const byRank = takeIds.get(mailbox) ?? new Map<number, number>();
    takeIds.set(mailbox, byRank);
    const reader = byRank.get(rank) ?? takes++;
    byRank.set(rank, reader);
    return { mailbox, reader };
  };
  return {
    readers,
    takes: () => takes,
    partOf(transfer, rank) {
      const { from, to } = transfer;
      const isGiver = from.includes(rank) && to.some((other) => other !== rank);
      const sources = to.includes(rank) ? from.filter((source) => source !== rank) : [];
      if (!isGiver && sources.length === 0) return undefined;
      return {
        ...(isGiver ? { gives: idOf(transfer, rank) } : {}),
        takes: sources.map((source) => takeOf(idOf(transfer, source), rank)),
      };
    },
  };
};

/** Of one rank: turns its instructions, in their order, into ops. */
export const createTaping = (
  mailboxes: Mailboxes,
  rank: number,
): ((instruction: Instruction, cost: Cost) => Op) => {
  /** By channel, what is left to do of a transfer that was started. */
  const underWay = new Map<number, { readonly takes: readonly Take[]; readonly cost: Cost }>();
  return (instruction, cost) => {
    if (instruction.op === "done") {
      const started = underWay.get(instruction.channel);
      if (started === undefined) return { cost };
      underWay.delete(instruction.channel);
      const { upload, reduce, compute } = started.cost;
      return { cost: { ...cost, upload, reduce, compute }, transfer: { takes: started.takes } };
    }
    const collective = collectiveOf(instruction);
    const transfer = collective === undefined ? undefined : mailboxes.partOf(collective, rank);
    if (collective === undefined || transfer === undefined) return { cost };
    if (instruction.op !== "start") return { cost, transfer };
    underWay.set(collective.channel, { takes: transfer.takes, cost });
    const { host, readback, move } = cost;
    return {
      cost: { ...noCost, host, readback, move },
      transfer: { ...transfer, takes: [], isStart: true },
    };
  };
};

/** @param costs by rank */
export const tapesOf = (program: Program, costs: readonly RankCosts[]): Tapes => {
  const mailboxes = createMailboxes();
  const ranks = program.ranks.map(({ rank, instructions }): RankTape => {
    const own = costs[rank];
    const opOf = createTaping(mailboxes, rank);
    const ops = instructions.map((instruction, i): Op => ({
      ...opOf(instruction, own?.instructions[i] ?? noCost),
      instruction: i,
    }));
    return { rank, parts: [ops, [{ cost: own?.rest ?? noCost }]] };
  });
  return { ranks, readers: mailboxes.readers, takes: mailboxes.takes() };
};
