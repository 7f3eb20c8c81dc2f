// Where everything lies in the file that ranks share: computed alike by every process that maps it.
//
// First what is always in use, then the slots that messages are written to. The mailboxes of one source that
// need about the same room share a pool of as many slots. A message takes the first slot of its pool that
// no other occupies, so there is always one, and nobody ever waits for another mailbox; but slots that are
// never reached at the same time cost no memory, because the file has no pages there.

import type { MailboxPlan } from "./communicator.ts";

/** Indices of 32-bit words and byte offsets into the file. */
export interface SharedLayout {
  /** The size of the file, far more than it will occupy. */
  readonly bytes: number;
  /** At the file's beginning: all words. */
  readonly controlBytes: number;
  /** What it occupies when every rank has sent one message of each size. */
  readonly leastBytes: number;
  readonly barrier: { readonly arrivedWord: number; readonly generationWord: number };
  /** First of `noteWords` words that a rank may write and the coordinator reads. */
  readonly noteWord: (rank: number) => number;
  readonly mailbox: (channel: number, source: number) => MailboxRegion;
}

export interface MailboxRegion {
  readonly plan: MailboxPlan;
  readonly lengthWord: number;
  /** Slot of its pool in which the current message lies. */
  readonly slotWord: number;
  /** Releases of the current message. */
  readonly releasedWord: number;
  /** Messages that this reader has been sent so far. */
  readonly postedWord: (reader: number) => number;
  readonly pool: SlotPool;
}

/** Slots of one source, one after the other. */
export interface SlotPool {
  readonly offset: number;
  readonly slotBytes: number;
  /** As many as there are mailboxes that use it. */
  readonly slots: number;
}

export const noteWords = 4;

/** Control words of different owners lie on different cache lines. */
const lineBytes = 64;
/** A multiple of all usual page sizes, for slots are mapped one by one. */
const slotUnit = 65_536;

const aligned = (bytes: number, unit: number): number => Math.ceil(bytes / unit) * unit;

export function layoutSharedMemory(ranks: number, plans: readonly MailboxPlan[]): SharedLayout {
  let next = 0;
  const takeWords = (words: number): number => {
    const word = next / 4;
    next += aligned(4 * words, lineBytes);
    return word;
  };
  const barrierWord = takeWords(2);
  const notes = Array.from({ length: ranks }, () => takeWords(noteWords));
  const controls = plans.map(({ readers }) => takeWords(3 + readers.length));
  const controlBytes = aligned(next, slotUnit);
  const { poolOf, bytes, leastBytes } = layoutPools(plans, controlBytes);

  const mailboxes = new Map<string, MailboxRegion>();
  for (const [index, plan] of plans.entries()) {
    const controlWord = controls[index] ?? 0;
    mailboxes.set(keyOf(plan.channel, plan.source), {
      plan,
      lengthWord: controlWord,
      slotWord: controlWord + 1,
      releasedWord: controlWord + 2,
      postedWord: (reader) => {
        const at = plan.readers.indexOf(reader);
        if (at < 0) throw new Error(`rank ${reader} reads no ${describe(plan)}`);
        return controlWord + 3 + at;
      },
      pool: poolOf(plan),
    });
  }
  return {
    bytes,
    controlBytes,
    leastBytes,
    barrier: { arrivedWord: barrierWord, generationWord: barrierWord + 1 },
    noteWord: (rank) => {
      const word = notes[rank];
      if (word === undefined) throw new RangeError(`rank ${rank} of ${ranks}`);
      return word;
    },
    mailbox: (channel, source) => {
      const region = mailboxes.get(keyOf(channel, source));
      if (region === undefined) throw new Error(`no ${describe({ channel, source })}`);
      return region;
    },
  };
}

function layoutPools(plans: readonly MailboxPlan[], offset: number) {
  const slotBytesOf = ({ bytes }: MailboxPlan): number => aligned(Math.max(bytes, 1), slotUnit);
  const poolKey = (plan: MailboxPlan): string => `${plan.source} ${slotBytesOf(plan)}`;
  const members = new Map<string, MailboxPlan[]>();
  for (const plan of plans) {
    const key = poolKey(plan);
    members.set(key, [...(members.get(key) ?? []), plan]);
  }
  const pools = new Map<string, SlotPool>();
  let bytes = offset;
  let leastBytes = offset;
  for (const [key, [first, ...others]] of members) {
    if (first === undefined) continue;
    const pool = { offset: bytes, slotBytes: slotBytesOf(first), slots: 1 + others.length };
    pools.set(key, pool);
    bytes += pool.slots * pool.slotBytes;
    leastBytes += pool.slotBytes;
  }
  const poolOf = (plan: MailboxPlan): SlotPool => {
    const pool = pools.get(poolKey(plan));
    if (pool === undefined) throw new Error(`no memory for the ${describe(plan)}`);
    return pool;
  };
  return { poolOf, bytes, leastBytes };
}

const keyOf = (channel: number, source: number): string => `${channel} ${source}`;

const describe = ({ channel, source }: Pick<MailboxPlan, "channel" | "source">): string =>
  `mailbox of rank ${source} on channel ${channel}`;
