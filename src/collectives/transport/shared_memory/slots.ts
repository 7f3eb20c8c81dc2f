// Which slot of its pool each message of a source lies in.

import type { MailboxRegion, SlotPool } from "./layout.ts";

export interface Slots {
  /** Messages of the mailbox that are reserved or not released by all yet. */
  held(mailbox: MailboxRegion): number;
  /** A slot for its next message: the first that is free, so that few slots are ever touched. */
  take(mailbox: MailboxRegion): number;
}

/**
 * A pool has as many slots as its mailboxes hold messages; so one is free for whoever holds fewer than its
 * depth.
 *
 * @param isHeld whether a slot that was taken is reserved, or posted and not released by all readers
 */
export function createSlots(isHeld: (pool: SlotPool, slot: number) => boolean): Slots {
  const taken = new Map<MailboxRegion, number[]>();
  const holders = new Map<SlotPool, MailboxRegion[]>();
  const holdersOf = (pool: SlotPool): MailboxRegion[] => {
    const known = holders.get(pool) ?? [];
    holders.set(pool, known);
    return known;
  };
  const heldSlots = (mailbox: MailboxRegion): number[] => {
    const { pool } = mailbox;
    const held = (taken.get(mailbox) ?? []).filter(
      // A slot that was released may be another's by now.
      (slot) => holdersOf(pool)[slot] === mailbox && isHeld(pool, slot),
    );
    taken.set(mailbox, held);
    return held;
  };
  return {
    held: (mailbox) => heldSlots(mailbox).length,
    take(mailbox) {
      const { pool } = mailbox;
      let slot = 0;
      while (slot < pool.slots && isHeld(pool, slot)) slot += 1;
      if (slot === pool.slots) throw new Error(`all ${pool.slots} slots of a pool are occupied`);
      const held = heldSlots(mailbox);
      held.push(slot);
      holdersOf(pool)[slot] = mailbox;
      return slot;
    },
  };
}
