// Communication as it was, without the others: what a rank received in one step is kept, and given to it again
// in later steps that it runs alone. So every instruction, transfers included, takes what it takes when nobody
// contends and nobody is late. The rank sleeps where it slept, and posting takes as long: what comes after a wait finds
// cold caches, and to wake a rank takes the one that wakes it.

import { hostMs } from "../gpu/timestamps.ts";
import type { Pause } from "../program/simulate/cost.ts";
import type {
  ReceivedMessage,
  Communicator,
  OutgoingMessage,
} from "../collectives/transport/communicator.ts";
import { upperMedian, readingOf, type ReceivedTimes, type Signals } from "./signals.ts";

/** A message of the step that is recorded. */
interface Message {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly times: ReceivedTimes;
}

export interface Recording {
  /** For one step together with all other ranks. */
  readonly communicator: Communicator;
  /** By `readingOf`, in order of arrival. */
  readonly messages: ReadonlyMap<string, readonly Message[]>;
  /** What posting took, ms each. */
  readonly postingMs: readonly number[];
  readonly signals: () => Signals;
}

export function recordMessages(communicator: Communicator): Recording {
  const { rank, nowMs } = communicator;
  const messages = new Map<string, Message[]>();
  const posted = new Map<string, number[]>();
  const postingMs: number[] = [];
  const recorded = (channel: number, { bytes, post }: OutgoingMessage): OutgoingMessage => ({
    bytes,
    post(readers) {
      const startMs = nowMs();
      post(readers);
      const endMs = nowMs();
      postingMs.push(endMs - startMs);
      for (const reader of readers) push(posted, readingOf(channel, rank, reader), endMs);
    },
  });
  return {
    messages,
    postingMs,
    signals: () => ({
      posted,
      received: new Map([...messages].map(([key, own]) => [key, own.map(({ times }) => times)])),
    }),
    communicator: {
      ...communicator,
      async reserve(channel, bytes) {
        return recorded(channel, await communicator.reserve(channel, bytes));
      },
      tryReserve(channel, bytes) {
        const message = communicator.tryReserve(channel, bytes);
        return message === undefined ? undefined : recorded(channel, message);
      },
      async receive(channel, source, ownBytes) {
        const askedMs = nowMs();
        const received = await communicator.receive(channel, source, ownBytes);
        const times = { askedMs, gotMs: nowMs() };
        push(messages, readingOf(channel, source, rank), { bytes: received.bytes.slice(), times });
        return received;
      },
    },
  };
}

function push<Item>(lists: Map<string, Item[]>, key: string, item: Item): void {
  const list = lists.get(key) ?? [];
  list.push(item);
  lists.set(key, list);
}

/** Who waits no longer than that does not sleep. */
const shortestPauseMs = 0.03;
/** What a rank cools down in until its message comes: more would only take time. */
const longestPauseMs = 2;

/** For one step alone. What is posted goes into memory that nobody reads, given by `scratch`. */
export function replayMessages(
  communicator: Communicator,
  { messages, postingMs }: Pick<Recording, "messages" | "postingMs">,
  scratch: ReplayMemory,
  onPause: (pause: Pause) => void,
): Communicator {
  const taken = new Map<string, number>();
  const posting = upperMedian(postingMs);
  const unread = (channel: number, bytes: number): OutgoingMessage => {
    const { memory, giveBack } = scratch(channel, bytes);
    return {
      bytes: memory,
      post() {
        // Nobody sleeps who could be woken.
        const end = hostMs() + posting;
        while (hostMs() < end);
        giveBack();
      },
    };
  };
  return {
    rank: communicator.rank,
    ranks: communicator.ranks,
    nowMs: communicator.nowMs,
    close: () => communicator.close(),
    reserve: async (channel, bytes) => unread(channel, bytes),
    tryReserve: unread,
    room: async () => true,
    async receive(channel, source): Promise<ReceivedMessage> {
      const key = readingOf(channel, source, communicator.rank);
      const count = taken.get(key) ?? 0;
      taken.set(key, count + 1);
      const message = messages.get(key)?.[count];
      if (message === undefined) throw new Error(`no message on channel ${channel} of ${source}`);
      const waitedMs = message.times.gotMs - message.times.askedMs;
      if (waitedMs > shortestPauseMs) {
        const startMs = hostMs();
        await communicator.pause(Math.min(longestPauseMs, waitedMs));
        onPause({ startMs, endMs: hostMs() });
      }
      return { bytes: message.bytes, release() {} };
    },
    pause: async (ms) => communicator.pause(ms),
    meanwhile: async (work) => communicator.meanwhile(work),
    async barrier() {},
  };
}

/** Memory for a channel's message, until it is given back. */
export type ReplayMemory = (
  channel: number,
  bytes: number,
) => { readonly memory: Uint8Array<ArrayBuffer>; readonly giveBack: () => void };

/** Memory per channel that lasts, as mailboxes do: fresh pages would cost more than the copy. */
export function createReplayMemory(): ReplayMemory {
  const free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  return (channel, bytes) => {
    const own = free.get(channel) ?? [];
    free.set(channel, own);
    const at = own.findIndex(({ length }) => length >= bytes);
    const [buffer = new Uint8Array(bytes)] = at < 0 ? [] : own.splice(at, 1);
    return { memory: buffer.subarray(0, bytes), giveBack: () => own.push(buffer) };
  };
}
