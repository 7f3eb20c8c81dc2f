// Ranks of one machine: mailboxes in memory that all of them map.

import type { Communicator, MailboxPlan } from "./communicator.ts";
import { layoutSharedMemory, type MailboxRegion, noteWords } from "./shared_layout.ts";
import { createMapper, occupy } from "./shared_memory.ts";
import { createSlots } from "./slots.ts";
import { createWaiter, defaultWaiting, type Waiting } from "./waiting.ts";

export interface SharedMemoryCommunicator extends Communicator {
  /** Words of this rank that outlive it: the coordinator reads them from the file. */
  readonly notes: Int32Array<ArrayBuffer>;
}

export interface SharedMemoryOptions {
  /** Descriptor of the shared file; stays open as long as the communicator. */
  readonly file: number;
  readonly rank: number;
  readonly ranks: number;
  readonly mailboxes: readonly MailboxPlan[];
  readonly waiting?: Waiting;
}

export function openSharedMemoryCommunicator(
  options: SharedMemoryOptions,
): SharedMemoryCommunicator {
  const { file, rank, ranks, mailboxes } = options;
  const layout = layoutSharedMemory(ranks, mailboxes);
  const map = createMapper(file);
  const shared = map(0, layout.controlBytes);
  const words = new Int32Array(shared.memory);
  const waiter = createWaiter(shared, options.waiting ?? defaultWaiting);
  let closed = false;
  const isClosed = (): boolean => closed;

  /** How many must release my last message, by mailbox. */
  const unreleased = new Map<MailboxRegion, number>();
  const reserved = new Map<MailboxRegion, number>();
  const read = new Map<MailboxRegion, number>();
  const slotOf = new Map<MailboxRegion, number>();
  const takeSlot = createSlots(
    (mailbox) =>
      !reserved.has(mailbox) &&
      Atomics.load(words, mailbox.releasedWord) >= (unreleased.get(mailbox) ?? 0),
  );
  const touched = new Set<number>();

  const offsetOf = ({ pool }: MailboxRegion, slot: number): number =>
    pool.offset + slot * pool.slotBytes;
  const slotView = (mailbox: MailboxRegion, slot: number, bytes: number) => {
    const { memory } = map(offsetOf(mailbox, slot), mailbox.pool.slotBytes);
    return new Uint8Array(memory, 0, bytes);
  };

  const until = async (word: number, isReached: (value: number) => boolean): Promise<void> => {
    for (;;) {
      const value = Atomics.load(words, word);
      if (isReached(value)) return;
      await waiter.whileEqual(word, value, isClosed);
    }
  };

  return {
    rank,
    ranks,
    notes: new Int32Array(shared.memory, 4 * layout.noteWord(rank), noteWords),

    async reserve(channel, bytes) {
      const mailbox = layout.mailbox(channel, rank);
      if (reserved.has(mailbox)) throw new Error(`channel ${channel} is reserved already`);
      if (bytes > mailbox.plan.bytes) {
        throw new RangeError(
          `${bytes} bytes for the mailbox of rank ${rank} on channel ${channel}, which holds ${mailbox.plan.bytes}`,
        );
      }
      reserved.set(mailbox, bytes);
      const readers = unreleased.get(mailbox) ?? 0;
      await until(mailbox.releasedWord, (released) => released >= readers);
      const slot = takeSlot(mailbox);
      slotOf.set(mailbox, slot);
      const offset = offsetOf(mailbox, slot);
      if (!touched.has(offset)) occupy(file, offset, mailbox.pool.slotBytes);
      touched.add(offset);
      return slotView(mailbox, slot, bytes);
    },

    post(channel, readers) {
      const mailbox = layout.mailbox(channel, rank);
      const bytes = reserved.get(mailbox);
      if (bytes === undefined) throw new Error(`channel ${channel} is not reserved`);
      const posted = readers.map(mailbox.postedWord);
      reserved.delete(mailbox);
      unreleased.set(mailbox, readers.length);
      Atomics.store(words, mailbox.lengthWord, bytes);
      Atomics.store(words, mailbox.slotWord, slotOf.get(mailbox) ?? 0);
      Atomics.store(words, mailbox.releasedWord, 0);
      for (const word of posted) Atomics.add(words, word, 1);
      for (const word of posted) waiter.wake(word);
    },

    async receive(channel, source) {
      const mailbox = layout.mailbox(channel, source);
      const seen = read.get(mailbox) ?? 0;
      await until(mailbox.postedWord(rank), (posted) => posted !== seen);
      // Unsigned: up to 4 GiB.
      const bytes = Atomics.load(words, mailbox.lengthWord) >>> 0;
      return slotView(mailbox, Atomics.load(words, mailbox.slotWord), bytes);
    },

    release(channel, source) {
      const mailbox = layout.mailbox(channel, source);
      read.set(mailbox, Atomics.load(words, mailbox.postedWord(rank)));
      Atomics.add(words, mailbox.releasedWord, 1);
      waiter.wake(mailbox.releasedWord);
    },

    async barrier() {
      const { arrivedWord, generationWord } = layout.barrier;
      const generation = Atomics.load(words, generationWord);
      if (Atomics.add(words, arrivedWord, 1) + 1 < ranks) {
        await until(generationWord, (value) => value !== generation);
        return;
      }
      Atomics.store(words, arrivedWord, 0);
      Atomics.add(words, generationWord, 1);
      waiter.wake(generationWord);
    },

    close() {
      closed = true;
    },
  };
}
