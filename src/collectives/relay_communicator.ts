// Ranks that cannot share memory: every message goes through the coordinator. Slow, and right anywhere.

import type { Communicator } from "./communicator.ts";
import type { RelayMessage } from "./relay.ts";

export interface RelayLink {
  readonly rank: number;
  readonly ranks: number;
  readonly send: (message: RelayMessage) => void;
}

export interface RelayCommunicator extends Communicator {
  /** To be called with every message that the relay hands on. */
  deliver(message: RelayMessage): void;
}

export function createRelayCommunicator({ rank, ranks, send }: RelayLink): RelayCommunicator {
  const reserved = new Map<number, Uint8Array<ArrayBuffer>>();
  const unreleased = new Map<number, number>();
  const inboxes = new Map<string, Uint8Array<ArrayBuffer>[]>();
  let passed = 0;
  let closed = false;

  /** Those who wait for anything to arrive; few, so all look again at every message. */
  let waiting: (() => void)[] = [];
  const arrived = (): void => {
    const awake = waiting;
    waiting = [];
    for (const wake of awake) wake();
  };
  const until = async (isReached: () => boolean): Promise<void> => {
    while (!isReached()) {
      if (closed) throw new Error("the communicator was closed while this rank waited");
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  const inboxOf = (channel: number, source: number): Uint8Array<ArrayBuffer>[] => {
    const key = `${channel} ${source}`;
    const inbox = inboxes.get(key) ?? [];
    inboxes.set(key, inbox);
    return inbox;
  };

  return {
    rank,
    ranks,

    async reserve(channel, bytes) {
      if (reserved.has(channel)) throw new Error(`channel ${channel} is reserved already`);
      const memory = new Uint8Array(bytes);
      reserved.set(channel, memory);
      await until(() => (unreleased.get(channel) ?? 0) === 0);
      return memory;
    },

    post(channel, readers) {
      const bytes = reserved.get(channel);
      if (bytes === undefined) throw new Error(`channel ${channel} is not reserved`);
      reserved.delete(channel);
      unreleased.set(channel, readers.length);
      if (readers.length > 0) send({ kind: "relay-post", channel, source: rank, readers, bytes });
    },

    async receive(channel, source) {
      const inbox = inboxOf(channel, source);
      await until(() => inbox.length > 0);
      return inbox[0] ?? new Uint8Array(0);
    },

    release(channel, source) {
      inboxOf(channel, source).shift();
      send({ kind: "relay-release", channel, source, reader: rank });
    },

    async barrier() {
      const before = passed;
      send({ kind: "relay-barrier" });
      await until(() => passed > before);
    },

    close() {
      closed = true;
      arrived();
    },

    deliver(message) {
      switch (message.kind) {
        case "relay-post":
          inboxOf(message.channel, message.source).push(message.bytes);
          break;
        case "relay-release":
          unreleased.set(message.channel, (unreleased.get(message.channel) ?? 0) - 1);
          break;
        case "relay-barrier":
          passed += 1;
      }
      arrived();
    },
  };
}
