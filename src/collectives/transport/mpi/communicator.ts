// Ranks on any machines: a message of a mailbox is a message of MPI to each of its readers, and its release is an empty
// one back. Nothing is moved on but by calls of this thread, so it looks after all that is under way for as long as there
// is anything, sleeping in between for as long as it pays.

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
import type { Waiting } from "../waiting.ts";
import { maxMessageBytes, memory, type MpiRequest } from "./library.ts";
import { createProgress, type MpiProgress } from "./progress.ts";
import { type MpiWorld, tags } from "./world_messages.ts";

export interface MpiSetup {
  readonly world: MpiWorld;
  readonly ranks: number;
  readonly mailboxes: readonly MailboxPlan[];
  readonly waiting: Waiting;
}

export function createMpiCommunicator({
  world,
  ranks,
  mailboxes,
  waiting,
}: MpiSetup): Communicator {
  const { mpi, rank, clockOffsetMs } = world;
  const progress = createProgress(waiting);
  const planOf = createPlans(mailboxes);
  return {
    rank,
    ranks,
    nowMs: () => hostMs() + clockOffsetMs,
    ...createOutbox(world, planOf, progress),
    async receive(channel, source) {
      const { plan, tag } = planOf(channel, source);
      readerAt(plan, rank);
      const into = memory(plan.bytes);
      const request = mpi.receive(into, source, tag);
      await progress.done(request);
      return {
        bytes: into.subarray(0, request.byteLength()),
        release: () => progress.keep(mpi.send(memory(0), source, tag + 1)),
      };
    },
    async pause(ms) {
      if (ms > 0) await progress.until(() => false, ms);
    },
    meanwhile: async (work) => progress.meanwhile(work),
    async barrier() {
      const others = Array.from({ length: ranks }, (_, other) => other).filter(
        (other) => other > 0,
      );
      const sign = (other: number): void => progress.keep(mpi.send(memory(0), other, tags.barrier));
      const heard = (other: number): Promise<void> =>
        progress.done(mpi.receive(memory(1), other, tags.barrier));
      if (rank > 0) {
        sign(0);
        await heard(0);
        return;
      }
      await Promise.all(others.map(heard));
      for (const other of others) sign(other);
    },
    close: () => progress.close(),
  };
}

interface Placed {
  readonly plan: MailboxPlan;
  /** Of messages; that of their releases is one more. */
  readonly tag: number;
}

/** Channels are numbered in the same way on all ranks: tags need only reach 32,767. */
function createPlans(
  mailboxes: readonly MailboxPlan[],
): (channel: number, source: number) => Placed {
  const channels = [...new Set(mailboxes.map(({ channel }) => channel))].toSorted((a, b) => a - b);
  const tagOf = new Map(channels.map((channel, i) => [channel, tags.first + 2 * i]));
  const placed = new Map(
    mailboxes.map((plan) => [
      `${plan.channel} ${plan.source}`,
      { plan, tag: tagOf.get(plan.channel) ?? 0 },
    ]),
  );
  return (channel, source) => {
    const found = placed.get(`${channel} ${source}`);
    if (found === undefined) throw new Error(`no ${describeMailbox({ channel, source })}`);
    if (found.plan.bytes > maxMessageBytes)
      refuseTooLong({ ...found.plan, bytes: maxMessageBytes }, found.plan.bytes);
    return found;
  };
}

/** Messages that this rank sends. */
function createOutbox(
  { mpi, rank }: MpiWorld,
  planOf: (channel: number, source: number) => Placed,
  progress: MpiProgress,
): Pick<Communicator, "tryReserve" | "reserve" | "room"> {
  /** By channel: messages reserved, and of each posted one what has not ended. */
  const reserved = new Map<number, number>();
  const posted = new Map<number, (readonly MpiRequest[])[]>();
  const held = (channel: number): number => {
    const left = (posted.get(channel) ?? []).filter(
      (requests) => !requests.every((one) => one.isDone()),
    );
    posted.set(channel, left);
    return left.length + (reserved.get(channel) ?? 0);
  };
  const hasRoom = (channel: number): boolean => held(channel) < depthOf(planOf(channel, rank).plan);
  const tryReserve = (channel: number, bytes: number): OutgoingMessage | undefined => {
    const { plan, tag } = planOf(channel, rank);
    refuseTooLong(plan, bytes);
    if (!hasRoom(channel)) return undefined;
    reserved.set(channel, (reserved.get(channel) ?? 0) + 1);
    const message = memory(bytes);
    return {
      bytes: message,
      post(readers) {
        for (const reader of readers) readerAt(plan, reader);
        reserved.set(channel, (reserved.get(channel) ?? 1) - 1);
        const requests = readers.flatMap((reader) => [
          mpi.receive(memory(1), reader, tag + 1),
          mpi.send(message, reader, tag),
        ]);
        for (const request of requests) progress.keep(request);
        posted.set(channel, [...(posted.get(channel) ?? []), requests]);
      },
    };
  };
  return {
    tryReserve,
    async reserve(channel, bytes) {
      for (;;) {
        // Another who waited for the same may have been first.
        const message = tryReserve(channel, bytes);
        if (message !== undefined) return message;
        await progress.until(() => hasRoom(channel));
      }
    },
    room: async (channel, messages, graceMs) =>
      progress.until(() => held(channel) < messages, graceMs),
  };
}
