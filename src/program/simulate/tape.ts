// A program as the simulation plays it: per rank, what takes how long, and which messages it sends and receives.

import { hopsOf, type Hop } from "../exchange/hops.ts";
import { type Lane, laneOf } from "../exchange/lanes.ts";
import { collectiveOf, type Collective, type Instruction, type Program } from "../program.ts";
import { noCost, type Cost, type RankCosts } from "./cost.ts";

export interface TapeOp {
  readonly cost: Cost;
  /** Index into the rank's instructions; absent where it stands for several. */
  readonly instruction?: number;
  readonly transfer?: TransferPart;
}

/** One rank's part of a transfer; of one that is started and done, the start sends and the end receives. */
export interface TransferPart {
  /** The host goes on while the bytes leave. */
  readonly isStart?: true;
  /** Mailbox that it posts in; absent where it sends nothing. */
  readonly send?: number;
  /** In the order in which it receives. */
  readonly recv: readonly Read[];
}

export interface Read {
  readonly mailbox: number;
  /** Tells this reader of that mailbox from all other readers. */
  readonly reader: number;
}

export interface RankTape {
  readonly rank: number;
  /** One after the other; equal parts may be the same list. */
  readonly parts: readonly (readonly TapeOp[])[];
}

export interface Tapes {
  readonly ranks: readonly RankTape[];
  /** How many must receive each message of a mailbox. */
  readonly readers: readonly number[];
  /** Over all mailboxes. */
  readonly reads: number;
}

export interface Mailboxes {
  /** One part per hop; none where the rank exchanges nothing with another. */
  partsOf(transfer: Collective, rank: number): readonly HopPart[];
  readonly readers: readonly number[];
  readonly reads: () => number;
}

interface HopPart {
  readonly hop: Hop;
  readonly transfer: TransferPart;
}

/** A mailbox is (channel, lane, source), as in a run. */
export function createMailboxes(): Mailboxes {
  const byLane = new Map<number, Map<number, number>>();
  const readIds = new Map<number, Map<number, number>>();
  const readers: number[] = [];
  let reads = 0;
  const idOf = (transfer: Collective, lane: Lane, source: number): number => {
    const key = laneOf(transfer.channel, lane);
    const bySource = byLane.get(key) ?? new Map<number, number>();
    byLane.set(key, bySource);
    const known = bySource.get(source);
    if (known !== undefined) return known;
    bySource.set(source, readers.length);
    const sending = hopsOf(transfer, source).find(({ send }) => send?.lane === lane);
    readers.push(sending?.send?.readers.length ?? 0);
    return readers.length - 1;
  };
  const readOf = (mailbox: number, rank: number): Read => {
    const byRank = readIds.get(mailbox) ?? new Map<number, number>();
    readIds.set(mailbox, byRank);
    const reader = byRank.get(rank) ?? reads++;
    byRank.set(rank, reader);
    return { mailbox, reader };
  };
  return {
    readers,
    reads: () => reads,
    partsOf: (transfer, rank) =>
      hopsOf(transfer, rank).map((hop) => ({
        hop,
        transfer: {
          ...(hop.send === undefined ? {} : { send: idOf(transfer, hop.send.lane, rank) }),
          recv: hop.recv.map(({ lane, source }) => readOf(idOf(transfer, lane, source), rank)),
        },
      })),
  };
}

/** Of one rank: turns its instructions, in their order, into ops. */
export function createTaping(
  mailboxes: Mailboxes,
  rank: number,
): (instruction: Instruction, cost: Cost) => TapeOp[] {
  /** By channel, what is left to do of a transfer that was started. */
  const underWay = new Map<number, readonly TapeOp[]>();
  return (instruction, cost) => {
    if (instruction.op === "done") {
      const left = underWay.get(instruction.channel) ?? [];
      underWay.delete(instruction.channel);
      return [{ cost }, ...left];
    }
    const collective = collectiveOf(instruction);
    const parts = collective === undefined ? [] : mailboxes.partsOf(collective, rank);
    const [first, ...later] = parts.map(({ transfer }, i) => ({
      cost: costOfHop(cost, parts, i),
      transfer,
    }));
    if (collective === undefined || first === undefined) return [{ cost }];
    if (instruction.op !== "start") return [first, ...later];
    const { host, readback, move, ...rest } = first.cost;
    const { recv } = first.transfer;
    underWay.set(collective.channel, [
      { cost: { ...noCost, ...rest }, transfer: { recv } },
      ...later,
    ]);
    return [
      {
        cost: { ...noCost, host, readback, move },
        transfer: { ...first.transfer, recv: [], isStart: true },
      },
    ];
  };
}

/** What is sent costs in the hop that posts it, what arrives where it is received, sums where they are added. */
function costOfHop(cost: Cost, parts: readonly HopPart[], at: number): Cost {
  const shareOf = (of: (hop: Hop) => number): number => {
    const all = parts.reduce((sum, { hop }) => sum + of(hop), 0);
    const part = parts[at];
    return all === 0 || part === undefined ? Number(at === 0) : of(part.hop) / all;
  };
  const out = shareOf(({ sentShare }) => sentShare);
  const into = shareOf(({ receivedShare }) => receivedShare);
  const added = shareOf(({ reduces, receivedShare }) => (reduces ? receivedShare : 0));
  return {
    host: cost.host / parts.length,
    readback: cost.readback * out,
    move: cost.move * out,
    upload: cost.upload * into,
    reduce: cost.reduce * added,
    compute: cost.compute * added,
  };
}

/** Of programs that are played again and again, as each step of a run is. */
const mailboxesOfPrograms = new WeakMap<Program, Mailboxes>();

function mailboxesOf(program: Program): Mailboxes {
  const known = mailboxesOfPrograms.get(program);
  if (known !== undefined) return known;
  const mailboxes = createMailboxes();
  const parts = program.ranks.map(() => new Map<Collective, readonly HopPart[]>());
  const remembering: Mailboxes = {
    ...mailboxes,
    partsOf(transfer, rank) {
      const found = parts[rank]?.get(transfer) ?? mailboxes.partsOf(transfer, rank);
      parts[rank]?.set(transfer, found);
      return found;
    },
  };
  mailboxesOfPrograms.set(program, remembering);
  return remembering;
}

/** @param costs by rank */
export function tapesOf(program: Program, costs: readonly RankCosts[]): Tapes {
  const mailboxes = mailboxesOf(program);
  const ranks = program.ranks.map(({ rank, instructions }): RankTape => {
    const own = costs[rank];
    const opsOf = createTaping(mailboxes, rank);
    const ops = instructions.flatMap((instruction, i): TapeOp[] =>
      opsOf(instruction, own?.instructions[i] ?? noCost).map((op) => ({ ...op, instruction: i })),
    );
    return { rank, parts: [ops, [{ cost: own?.rest ?? noCost }]] };
  });
  return { ranks, readers: mailboxes.readers, reads: mailboxes.reads() };
}
