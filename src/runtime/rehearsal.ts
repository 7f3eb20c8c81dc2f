// Communication as it was, without the others: what a rank received in one step is kept, and given to it again
// in later steps that it runs alone. So every instruction, transfers included, takes what it takes when nobody
// contends and nobody is late.

import type { Arrival, Communicator, Parcel } from "../collectives/communicator.ts";

/** Messages of one step in order of arrival, by mailbox. */
type Messages = Map<string, Uint8Array<ArrayBuffer>[]>;

const keyOf = (channel: number, source: number): string => `${channel} ${source}`;

export interface Recording {
  /** For one step together with all other ranks. */
  readonly communicator: Communicator;
  readonly messages: Messages;
}

export function recordMessages(communicator: Communicator): Recording {
  const messages: Messages = new Map();
  return {
    messages,
    communicator: {
      ...communicator,
      async receive(channel, source, ownBytes) {
        const arrival = await communicator.receive(channel, source, ownBytes);
        const key = keyOf(channel, source);
        messages.set(key, [...(messages.get(key) ?? []), arrival.bytes.slice()]);
        return arrival;
      },
    },
  };
}

/** For one step alone. What is posted goes into memory that nobody reads, given by `scratch`. */
export function replayMessages(
  communicator: Communicator,
  messages: Messages,
  scratch: Scratch,
): Communicator {
  const taken = new Map<string, number>();
  const parcel = (channel: number, bytes: number): Parcel => {
    const { memory, giveBack } = scratch(channel, bytes);
    return { bytes: memory, post: giveBack };
  };
  return {
    rank: communicator.rank,
    ranks: communicator.ranks,
    close: () => communicator.close(),
    reserve: async (channel, bytes) => parcel(channel, bytes),
    tryReserve: parcel,
    room: async () => true,
    async receive(channel, source): Promise<Arrival> {
      const key = keyOf(channel, source);
      const count = taken.get(key) ?? 0;
      taken.set(key, count + 1);
      const bytes = messages.get(key)?.[count];
      if (bytes === undefined) throw new Error(`no message on channel ${channel} of ${source}`);
      return { bytes, release() {} };
    },
    pause: async (ms) => communicator.pause(ms),
    meanwhile: async (work) => communicator.meanwhile(work),
    async barrier() {},
  };
}

/** Memory for a channel's message, until it is given back. */
export type Scratch = (
  channel: number,
  bytes: number,
) => { readonly memory: Uint8Array<ArrayBuffer>; readonly giveBack: () => void };

/** Memory per channel that lasts, as mailboxes do: fresh pages would cost more than the copy. */
export function createScratch(): Scratch {
  const free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  return (channel, bytes) => {
    const own = free.get(channel) ?? [];
    free.set(channel, own);
    const at = own.findIndex(({ length }) => length >= bytes);
    const [buffer = new Uint8Array(bytes)] = at < 0 ? [] : own.splice(at, 1);
    return { memory: buffer.subarray(0, bytes), giveBack: () => own.push(buffer) };
  };
}
