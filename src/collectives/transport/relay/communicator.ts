// Ranks that cannot share memory: every message goes through the coordinator. Slow, and right anywhere.

import { setTimeout } from "node:timers/promises";
import { hostMs } from "../../../gpu/timestamps.ts";
import {
  type Communicator,
  depthOf,
  describeMailbox,
  type MailboxPlan,
  type OutgoingMessage,
  readerAt,
  refuseTooLong,
} from "../communicator.ts";
import type { RelayMessage } from "./message.ts";

export interface RelayLink {
  readonly rank: number;
  readonly ranks: number;
  readonly mailboxes: readonly MailboxPlan[];
  readonly send: (message: RelayMessage) => void;
}

export interface RelayCommunicator extends Communicator {
  /** To be called with every message that the relay hands on. */
  deliver(message: RelayMessage): void;
}

export function createRelayCommunicator(link: RelayLink): RelayCommunicator {
  const { rank, ranks, send } = link;
  const arrivals = createArrivals();
  const outbox = createOutbox(link, arrivals.until);
  const inboxes = new Map<string, Uint8Array<ArrayBuffer>[]>();
  const inboxOf = (channel: number, source: number): Uint8Array<ArrayBuffer>[] => {
    const key = `${channel} ${source}`;
    const inbox = inboxes.get(key) ?? [];
    inboxes.set(key, inbox);
    return inbox;
  };
  let passed = 0;
  return {
    rank,
    ranks,
    nowMs: hostMs,
    ...outbox.sends,
    async receive(channel, source) {
      const inbox = inboxOf(channel, source);
      await arrivals.until(() => inbox.length > 0);
      return {
        bytes: inbox.shift() ?? new Uint8Array(0),
        release: () => send({ kind: "release", channel, source, reader: rank }),
      };
    },
    async pause(ms) {
      // Timers may fire up to 1 ms early.
      if (ms > 0) await setTimeout(Math.ceil(ms) + 1);
    },
    meanwhile: async (work) => work,
    async barrier() {
      const before = passed;
      send({ kind: "barrier" });
      await arrivals.until(() => passed > before);
    },
    close: () => arrivals.close(),
    deliver(message) {
      switch (message.kind) {
        case "post":
          inboxOf(message.channel, message.source).push(message.bytes);
          break;
        case "release":
          outbox.released(message.channel);
          break;
        case "barrier":
          passed += 1;
      }
      arrivals.arrived();
    },
  };
}

interface Arrivals {
  /** Rejects when the communicator closes. */
  readonly until: (isReached: () => boolean) => Promise<void>;
  arrived(): void;
  close(): void;
}

/** Those who wait for anything to arrive; few, so all look again at every message. */
function createArrivals(): Arrivals {
  let waiting: (() => void)[] = [];
  let closed = false;
  const arrived = (): void => {
    const awake = waiting;
    waiting = [];
    for (const wake of awake) wake();
  };
  return {
    async until(isReached) {
      while (!isReached()) {
        if (closed) throw new Error("the communicator was closed while this rank waited");
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
    arrived,
    close() {
      closed = true;
      arrived();
    },
  };
}

interface Outbox {
  readonly sends: Pick<Communicator, "tryReserve" | "reserve" | "room">;
  /** One reader is done with a message of the channel. */
  released(channel: number): void;
}

/** Messages that this rank sends. */
function createOutbox({ rank, mailboxes, send }: RelayLink, until: Arrivals["until"]): Outbox {
  const own = new Map(
    mailboxes.filter(({ source }) => source === rank).map((plan) => [plan.channel, plan]),
  );
  const mailboxOf = (channel: number): MailboxPlan => {
    const plan = own.get(channel);
    if (plan !== undefined) return plan;
    throw new Error(`no ${describeMailbox({ channel, source: rank })}`);
  };
  /** By channel: messages reserved, and for each posted one how many must release it. */
  const reserved = new Map<number, number>();
  const unreleased = new Map<number, number[]>();
  const held = (channel: number): number =>
    (reserved.get(channel) ?? 0) + (unreleased.get(channel)?.length ?? 0);
  const hasRoom = (channel: number): boolean => held(channel) < depthOf(mailboxOf(channel));
  const tryReserve = (channel: number, bytes: number): OutgoingMessage | undefined => {
    const plan = mailboxOf(channel);
    refuseTooLong(plan, bytes);
    if (!hasRoom(channel)) return undefined;
    reserved.set(channel, (reserved.get(channel) ?? 0) + 1);
    const memory = new Uint8Array(bytes);
    return {
      bytes: memory,
      post(readers) {
        for (const reader of readers) readerAt(plan, reader);
        reserved.set(channel, (reserved.get(channel) ?? 1) - 1);
        if (readers.length === 0) return;
        unreleased.set(channel, [...(unreleased.get(channel) ?? []), readers.length]);
        send({ kind: "post", channel, source: rank, readers, bytes: memory });
      },
    };
  };
  return {
    sends: {
      tryReserve,
      async reserve(channel, bytes) {
        for (;;) {
          const message = tryReserve(channel, bytes);
          if (message !== undefined) return message;
          await until(() => hasRoom(channel));
        }
      },
      async room(channel, messages, graceMs) {
        const isShort = (): boolean => held(channel) < messages;
        await Promise.race([until(isShort), setTimeout(graceMs)]);
        return isShort();
      },
    },
    released(channel) {
      const owed = unreleased.get(channel) ?? [];
      // Whose message it was does not matter: memory of its own, and only how many are owed counts.
      owed[0] = (owed[0] ?? 1) - 1;
      if (owed[0] <= 0) owed.shift();
    },
  };
}
