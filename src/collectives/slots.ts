// Which slot of its pool each message of a source lies in.

import type { MailboxRegion, SlotPool } from "./shared_layout.ts";

/**
 * Finds a slot for the next message of a mailbox whose last message has been released: the first that is
 * free, so that few slots are ever touched.
 *
 * A pool has as many slots as mailboxes, and a mailbox occupies at most one; so one is free.
 */
export function createSlots(
  isReleased: (mailbox: MailboxRegion) => boolean,
): (mailbox: MailboxRegion) => number {
  const holders = new Map<SlotPool, (MailboxRegion | undefined)[]>();
  return (mailbox) => {
    const { pool } = mailbox;
    const slots = holders.get(pool) ?? Array.from({ length: pool.slots }, () => undefined);
    holders.set(pool, slots);
    const before = slots.indexOf(mailbox);
    if (before >= 0) slots[before] = undefined;
    const slot = slots.findIndex((holder) => holder === undefined || isReleased(holder));
    if (slot < 0) throw new Error(`all ${pool.slots} slots of a pool are occupied`);
    slots[slot] = mailbox;
    return slot;
  };
}
