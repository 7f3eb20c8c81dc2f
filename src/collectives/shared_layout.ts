// Where everything lies in the memory that ranks share: computed alike by every process that maps it.

import type { MailboxPlan } from "./communicator.ts";

/** Indices of 32-bit words and byte offsets into the shared memory. */
export interface SharedLayout {
  readonly bytes: number;
  readonly barrier: { readonly arrivedWord: number; readonly generationWord: number };
  /** First of `noteWords` words that a rank may write and the coordinator reads. */
  readonly noteWord: (rank: number) => number;
  readonly mailbox: (channel: number, source: number) => MailboxRegion;
}

export interface MailboxRegion {
  readonly plan: MailboxPlan;
  readonly lengthWord: number;
  /** Releases of the current message. */
  readonly releasedWord: number;
  /** Messages that this reader has been sent so far. */
  readonly postedWord: (reader: number) => number;
  readonly dataOffset: number;
}

export const noteWords = 4;

/** Control words of different owners lie on different cache lines. */
const lineBytes = 64;

const aligned = (bytes: number): number => Math.ceil(bytes / lineBytes) * lineBytes;

export function layoutSharedMemory(ranks: number, plans: readonly MailboxPlan[]): SharedLayout {
  let next = 0;
  const take = (bytes: number): number => {
    const offset = next;
    next += aligned(bytes);
    return offset;
  };
  const barrierWord = take(8) / 4;
  const notes = Array.from({ length: ranks }, () => take(4 * noteWords) / 4);
  const mailboxes = new Map<string, MailboxRegion>();
  for (const plan of plans) {
    const controlWord = take(4 * (2 + plan.readers.length)) / 4;
    mailboxes.set(keyOf(plan.channel, plan.source), {
      plan,
      lengthWord: controlWord,
      releasedWord: controlWord + 1,
      postedWord: (reader) => {
        const index = plan.readers.indexOf(reader);
        if (index < 0) throw new Error(`rank ${reader} reads no ${describe(plan)}`);
        return controlWord + 2 + index;
      },
      dataOffset: take(plan.bytes),
    });
  }
  return {
    bytes: next,
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

const keyOf = (channel: number, source: number): string => `${channel} ${source}`;

const describe = ({ channel, source }: Pick<MailboxPlan, "channel" | "source">): string =>
  `mailbox of rank ${source} on channel ${channel}`;
