// Where everything lies in the file that ranks share: computed alike by every process that maps it.
//
// First what is always in use, then the slots that messages are written to. The mailboxes of one source that
// need about the same room share a pool with a slot for every message that they may hold. A message takes
// the first slot of its pool that is free, so there is always one, and nobody ever waits for another
// mailbox; but slots that are never reached at the same time cost no memory, because the file has no pages
// there.

import { depthOf, describeMailbox, type MailboxPlan, readerAt } from "../communicator.ts";
import { noteWords } from "../transport.ts";

/** Indices of 32-bit words and byte offsets into the file. */
export interface SharedLayout {
  /** The size of the file, far more than it will occupy. */
  readonly bytes: number;
  /** At the file's beginning: all words. */
  readonly controlBytes: number;
  /** What it occupies when every rank has sent one message of each size. */
  readonly leastBytes: number;
  readonly barrier: { readonly arrivedWord: number; readonly generationWord: number };
  /** Changes whenever something happens that the rank may wait for. */
  readonly bellWord: (rank: number) => number;
  /** First of `noteWords` words that a rank may write and the coordinator reads. */
  readonly noteWord: (rank: number) => number;
  readonly mailbox: (channel: number, source: number) => MailboxRegion;
}

export interface MailboxRegion {
  readonly plan: MailboxPlan;
  /** Messages that this reader has been sent so far. */
  readonly postedWord: (reader: number) => number;
  /** In which slot the reader finds its nth message, until it has released it. */
  readonly slotWord: (reader: number, message: number) => number;
  readonly pool: SlotPool;
}

/** Slots of one source, one after the other. */
export interface SlotPool {
  readonly offset: number;
  readonly slotBytes: number;
  /** As many as the mailboxes that use it may hold messages. */
  readonly slots: number;
  /** How many readers must still release what lies there, and how long it is. */
  readonly pendingWord: (slot: number) => number;
  readonly lengthWord: (slot: number) => number;
}

/** Control words of different owners lie on different cache lines. */
const lineBytes = 64;
/** A multiple of all usual page sizes, for slots are mapped one by one. */
const slotUnit = 65_536;

function aligned(bytes: number, unit: number): number {
  return Math.ceil(bytes / unit) * unit;
}

export function layoutSharedMemory(ranks: number, plans: readonly MailboxPlan[]): SharedLayout {
  let next = 0;
  const takeWords = (words: number): number => {
    const word = next / 4;
    next += aligned(4 * words, lineBytes);
    return word;
  };
  const barrierWord = takeWords(2);
  const bells = Array.from({ length: ranks }, () => takeWords(1));
  const notes = Array.from({ length: ranks }, () => takeWords(noteWords));
  const controls = plans.map((plan) => takeWords(plan.readers.length * (1 + depthOf(plan))));
  const groups = groupPools(plans);
  const slotWords = groups.map(({ slots }) => takeWords(2 * slots));
  const controlBytes = aligned(next, slotUnit);

  const pools = new Map<string, SlotPool>();
  let bytes = controlBytes;
  let leastBytes = controlBytes;
  for (const [index, { key, slotBytes, slots }] of groups.entries()) {
    const word = slotWords[index] ?? 0;
    pools.set(key, {
      offset: bytes,
      slotBytes,
      slots,
      pendingWord: (slot) => word + 2 * slot,
      lengthWord: (slot) => word + 2 * slot + 1,
    });
    bytes += slots * slotBytes;
    leastBytes += slotBytes;
  }

  const mailboxes = new Map<string, MailboxRegion>();
  for (const [index, plan] of plans.entries()) {
    const controlWord = controls[index] ?? 0;
    const depth = depthOf(plan);
    const pool = pools.get(poolKey(plan));
    if (pool === undefined) throw new Error(`no memory for the ${describeMailbox(plan)}`);
    const readerWord = (reader: number): number => {
      return controlWord + readerAt(plan, reader) * (1 + depth);
    };
    mailboxes.set(keyOf(plan.channel, plan.source), {
      plan,
      postedWord: readerWord,
      slotWord: (reader, message) => readerWord(reader) + 1 + (message % depth),
      pool,
    });
  }
  return {
    bytes,
    controlBytes,
    leastBytes,
    barrier: { arrivedWord: barrierWord, generationWord: barrierWord + 1 },
    bellWord: (rank) => wordOf(bells, rank),
    noteWord: (rank) => wordOf(notes, rank),
    mailbox: (channel, source) => {
      const region = mailboxes.get(keyOf(channel, source));
      if (region === undefined) throw new Error(`no ${describeMailbox({ channel, source })}`);
      return region;
    },
  };
}

function wordOf(words: readonly number[], rank: number): number {
  const word = words[rank];
  if (word === undefined) throw new RangeError(`rank ${rank} of ${words.length}`);
  return word;
}

function slotBytesOf({ bytes }: MailboxPlan): number {
  return aligned(Math.max(bytes, 1), slotUnit);
}
function poolKey(plan: MailboxPlan): string {
  return `${plan.source} ${slotBytesOf(plan)}`;
}

function groupPools(plans: readonly MailboxPlan[]) {
  const groups = new Map<string, { key: string; slotBytes: number; slots: number }>();
  for (const plan of plans) {
    const key = poolKey(plan);
    const group = groups.get(key) ?? { key, slotBytes: slotBytesOf(plan), slots: 0 };
    group.slots += depthOf(plan);
    groups.set(key, group);
  }
  return [...groups.values()];
}

function keyOf(channel: number, source: number): string {
  return `${channel} ${source}`;
}
