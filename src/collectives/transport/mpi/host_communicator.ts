// Mailboxes whose source and readers are all on this host lie in memory that they share; all others are MPI's. So each
// mailbox goes one way for all of its ranks, and its messages stay in order.

import type { Communicator, MailboxPlan } from "../communicator.ts";
import { openSharedMemoryCommunicator } from "../shared_memory/communicator.ts";
import type { RankSetup } from "../transport.ts";
import { openSharedFile } from "./neighbours.ts";
import type { MpiWorld } from "./world_messages.ts";

/** @param between what messages to other hosts take; all take it where no memory is shared */
export function createHostCommunicator(
  world: MpiWorld,
  between: Communicator,
  { ranks, mailboxes, waiting }: Pick<RankSetup, "ranks" | "mailboxes" | "waiting">,
): Communicator {
  const { rank, neighbours } = world;
  if (neighbours.length < 2) return between;
  const isHere = ({ source, readers }: MailboxPlan): boolean =>
    [source, ...readers].every((each) => neighbours.includes(each));
  const here = mailboxes.filter(isHere);
  const file = openSharedFile(world, { ranks, mailboxes: here });
  if (file === undefined) return between;
  const within = openSharedMemoryCommunicator({ rank, ranks, mailboxes: here, waiting, file });
  const keys = new Set(here.map(({ channel, source }) => `${channel} ${source}`));
  const through = (channel: number, source: number): Communicator =>
    keys.has(`${channel} ${source}`) ? within : between;
  return {
    rank,
    ranks,
    nowMs: between.nowMs,
    reserve: async (channel, bytes) => through(channel, rank).reserve(channel, bytes),
    tryReserve: (channel, bytes) => through(channel, rank).tryReserve(channel, bytes),
    room: async (channel, messages, graceMs) =>
      through(channel, rank).room(channel, messages, graceMs),
    receive: async (channel, source, ownBytes) =>
      through(channel, source).receive(channel, source, ownBytes),
    pause: async (ms) => within.pause(ms),
    meanwhile: async (work) => within.meanwhile(work),
    barrier: async () => (neighbours.length === ranks ? within : between).barrier(),
    close() {
      within.close();
      between.close();
    },
  };
}
