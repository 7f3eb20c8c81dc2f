// Ranks of one machine: mailboxes in memory that all of them map.

import { hostMs } from "../../../gpu/timestamps.ts";
import {
  type Communicator,
  depthOf,
  type OutgoingMessage,
  refuseTooLong,
} from "../communicator.ts";
import { noteWords, type RankSetup } from "../transport.ts";
import {
  layoutSharedMemory,
  type MailboxRegion,
  type SharedLayout,
  type SlotPool,
} from "./layout.ts";
import { createMapper, reservePages } from "./shared_file.ts";
import { createSlots } from "./slots.ts";
import { createWaiter, type Waiter } from "./waiter.ts";

export interface SharedMemoryCommunicator extends Communicator {
  /** Words of this rank that outlive it: the coordinator reads them from the file. */
  readonly notes: Int32Array<ArrayBuffer>;
}

/** @param setup its file stays open as long as the communicator */
export function openSharedMemoryCommunicator(
  setup: Omit<RankSetup, "tell">,
): SharedMemoryCommunicator {
  const { file, rank, ranks, mailboxes, waiting } = setup;
  const layout = layoutSharedMemory(ranks, mailboxes);
  const map = createMapper(file);
  const shared = map(0, layout.controlBytes);
  const words = new Int32Array(shared.memory);
  const waiter = createWaiter(shared, layout.bellWord(rank), waiting);
  const memory: Memory = {
    rank,
    layout,
    words,
    waiter,
    slot: (pool, slot, bytes) =>
      new Uint8Array(map(pool.offset + slot * pool.slotBytes, pool.slotBytes).memory, 0, bytes),
    claim: (pool, slot) => reservePages(file, pool.offset + slot * pool.slotBytes, pool.slotBytes),
  };
  return {
    rank,
    ranks,
    nowMs: hostMs,
    notes: new Int32Array(shared.memory, 4 * layout.noteWord(rank), noteWords),
    ...createOutbox(memory),
    ...createInbox(memory),
    async pause(ms) {
      if (ms > 0) await waiter.until(() => false, ms);
    },
    meanwhile: async (work) => waiter.meanwhile(work),
    async barrier() {
      const { arrivedWord, generationWord } = layout.barrier;
      const generation = Atomics.load(words, generationWord);
      if (Atomics.add(words, arrivedWord, 1) + 1 < ranks) {
        await waiter.until(() => Atomics.load(words, generationWord) !== generation);
        return;
      }
      Atomics.store(words, arrivedWord, 0);
      Atomics.add(words, generationWord, 1);
      for (let other = 0; other < ranks; other += 1) waiter.ring(layout.bellWord(other));
    },
    close() {
      waiter.close();
    },
  };
}

interface Memory {
  readonly rank: number;
  readonly layout: SharedLayout;
  /** Of the part that all ranks map from the start. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly waiter: Waiter;
  readonly slot: (pool: SlotPool, slot: number, bytes: number) => Uint8Array<ArrayBuffer>;
  /** To be called before its first use. */
  readonly claim: (pool: SlotPool, slot: number) => void;
}

/** Messages that this rank sends. */
function createOutbox(memory: Memory): Pick<Communicator, "tryReserve" | "reserve" | "room"> {
  const { rank, layout, words, waiter } = memory;
  /** Words of slots that are reserved and not posted yet. */
  const reserved = new Set<number>();
  const slots = createSlots((pool, slot) => {
    const pending = pool.pendingWord(slot);
    return reserved.has(pending) || Atomics.load(words, pending) > 0;
  });
  const touched = new Set<number>();
  const hasRoom = (mailbox: MailboxRegion): boolean => slots.held(mailbox) < depthOf(mailbox.plan);
  const tryReserve = (channel: number, bytes: number): OutgoingMessage | undefined => {
    const mailbox = layout.mailbox(channel, rank);
    const { plan, pool } = mailbox;
    refuseTooLong(plan, bytes);
    if (!hasRoom(mailbox)) return undefined;
    const slot = slots.take(mailbox);
    const pending = pool.pendingWord(slot);
    reserved.add(pending);
    if (!touched.has(pending)) {
      memory.claim(pool, slot);
      touched.add(pending);
    }
    return {
      bytes: memory.slot(pool, slot, bytes),
      post(readers) {
        const posted = readers.map(mailbox.postedWord);
        Atomics.store(words, pool.lengthWord(slot), bytes);
        Atomics.store(words, pending, readers.length);
        reserved.delete(pending);
        for (const [at, reader] of readers.entries()) {
          const word = posted[at] ?? 0;
          Atomics.store(words, mailbox.slotWord(reader, Atomics.load(words, word) >>> 0), slot);
          Atomics.add(words, word, 1);
          waiter.ring(layout.bellWord(reader));
        }
      },
    };
  };
  return {
    tryReserve,
    async reserve(channel, bytes) {
      const mailbox = layout.mailbox(channel, rank);
      for (;;) {
        // Another who waited for the same may have been first.
        const message = tryReserve(channel, bytes);
        if (message !== undefined) return message;
        await waiter.until(() => hasRoom(mailbox));
      }
    },
    async room(channel, messages, graceMs) {
      const mailbox = layout.mailbox(channel, rank);
      return waiter.until(() => slots.held(mailbox) < messages, graceMs);
    },
  };
}

/** Messages that come to this rank. */
function createInbox(memory: Memory): Pick<Communicator, "receive"> {
  const { rank, layout, words, waiter } = memory;
  /** Messages received so far, by mailbox. */
  const received = new Map<MailboxRegion, number>();
  return {
    async receive(channel, source) {
      const mailbox = layout.mailbox(channel, source);
      const posted = mailbox.postedWord(rank);
      const hasCome = (): boolean => Atomics.load(words, posted) !== (received.get(mailbox) ?? 0);
      while (!hasCome()) await waiter.until(hasCome);
      const message = received.get(mailbox) ?? 0;
      received.set(mailbox, (message + 1) | 0);
      const slot = Atomics.load(words, mailbox.slotWord(rank, message >>> 0));
      const { pool } = mailbox;
      // Unsigned: up to 4 GiB.
      const bytes = Atomics.load(words, pool.lengthWord(slot)) >>> 0;
      return {
        bytes: memory.slot(pool, slot, bytes),
        release() {
          Atomics.sub(words, pool.pendingWord(slot), 1);
          waiter.ring(layout.bellWord(source));
        },
      };
    },
  };
}
