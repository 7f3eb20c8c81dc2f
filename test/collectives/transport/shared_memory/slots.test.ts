import { closeSync, fstatSync } from "node:fs";
import { tmpdir } from "node:os";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { openSharedMemoryCommunicator } from "../../../../src/collectives/transport/shared_memory/communicator.ts";
import { layoutSharedMemory } from "../../../../src/collectives/transport/shared_memory/layout.ts";
import { createSharedFile } from "../../../../src/collectives/transport/shared_memory/shared_file.ts";
import type {
  Communicator,
  MailboxPlan,
  OutgoingMessage,
  ReceivedMessage,
} from "../../../../src/collectives/transport/communicator.ts";
import { defaultWaiting } from "../../../../src/collectives/transport/waiting.ts";
import { EnvironmentError } from "../../../../src/environment_error.ts";

const files: number[] = [];
afterEach(() => {
  for (const file of files.splice(0)) closeSync(file);
});

/** All ranks in this one process; they take turns. */
function openAll(ranks: number, mailboxes: readonly MailboxPlan[]) {
  const { file } = createSharedFile(layoutSharedMemory(ranks, mailboxes));
  files.push(file);
  return {
    occupiedBytes: () => 512 * fstatSync(file).blocks,
    communicators: Array.from({ length: ranks }, (_, rank) =>
      openSharedMemoryCommunicator({
        file,
        rank,
        ranks,
        mailboxes,
        waiting: { ...defaultWaiting, sliceMs: 5 },
      }),
    ),
  };
}

const mebibyte = 2 ** 20;

test("channels that are used one after the other occupy the memory of one", async () => {
  const mailboxes = Array.from({ length: 64 }, (_, channel) => ({
    channel,
    source: 0,
    readers: [1],
    bytes: mebibyte,
  }));
  const { communicators, occupiedBytes } = openAll(2, mailboxes);
  const [sender, reader] = communicators;
  for (let step = 0; step < 2; step++) {
    for (const { channel, bytes } of mailboxes) {
      const message = await sender!.reserve(channel, bytes);
      message.bytes.fill(channel + step);
      message.post([1]);
      const received = await reader!.receive(channel, 0);
      expect(Buffer.alloc(bytes, channel + step).equals(received.bytes)).toBe(true);
      received.release();
    }
  }
  expect(occupiedBytes()).toBeLessThan(2 * mebibyte);
});

test("channels that nobody has read yet keep their messages apart", async () => {
  const mailboxes = Array.from({ length: 8 }, (_, channel) => ({
    channel,
    source: 0,
    readers: [1],
    bytes: 100 + channel,
  }));
  const [sender, reader] = openAll(2, mailboxes).communicators;
  for (const { channel, bytes } of mailboxes) {
    const message = await sender!.reserve(channel, bytes);
    message.bytes.fill(channel);
    message.post([1]);
  }
  for (const { channel, bytes } of mailboxes.toReversed()) {
    const received = await reader!.receive(channel, 0);
    expect([...received.bytes]).toEqual(Array(bytes).fill(channel));
  }
});

/** What a mailbox can do next, in a test that keeps account of its messages. */
function follow(
  communicators: readonly Communicator[],
  { channel, source, readers, depth = 1 }: MailboxPlan,
  nextStamp: () => number,
) {
  const sender = communicators[source]!;
  const reserved: OutgoingMessage[] = [];
  /** Stamps of the messages on their way, by reader; a stamp is in every byte of its message. */
  const posted = new Map<number, number[]>(readers.map((reader) => [reader, []]));
  const taken: { readonly stamp: number; readonly received: ReceivedMessage }[] = [];
  const owed = new Map<number, number>();
  return {
    isIntact: () =>
      taken.every(({ stamp, received }) => received.bytes.every((byte) => byte === stamp)),
    actions: (): (() => Promise<void>)[] => {
      const post = reserved.slice(0, 1).map((message) => async () => {
        reserved.shift();
        const stamp = nextStamp();
        message.bytes.fill(stamp);
        message.post(readers);
        owed.set(stamp, readers.length);
        for (const stamps of posted.values()) stamps.push(stamp);
      });
      const reserve = async () => void reserved.push(await sender.reserve(channel, 40));
      const receive = [...posted]
        .filter(([, stamps]) => stamps.length > 0)
        .map(([reader, stamps]) => async () => {
          const stamp = stamps.shift() ?? 0;
          taken.push({ stamp, received: await communicators[reader]!.receive(channel, source) });
        });
      const release = taken.map((one) => async () => {
        taken.splice(taken.indexOf(one), 1);
        one.received.release();
        const left = (owed.get(one.stamp) ?? 0) - 1;
        if (left > 0) owed.set(one.stamp, left);
        else owed.delete(one.stamp);
      });
      return [
        ...post,
        ...(reserved.length + owed.size < depth ? [reserve] : []),
        ...receive,
        ...release,
      ];
    },
  };
}

test("in whatever order ranks send and read, nobody waits for another channel and no message is overwritten", async () => {
  const ranks = [0, 1, 2];
  const mailboxes = ranks.flatMap((source) =>
    [40, 50, 60, 70_000].map((bytes, channel) => ({
      channel,
      source,
      readers: ranks.filter((rank) => rank !== source),
      bytes,
      depth: 1 + channel,
    })),
  );
  const choices = fc.array(fc.nat(1000), { minLength: 50, maxLength: 100 });
  const property = fc.asyncProperty(choices, async (chosen) => {
    const { communicators } = openAll(ranks.length, mailboxes);
    let stamps = 0;
    const states = mailboxes.map((plan) => follow(communicators, plan, () => (stamps += 1)));
    for (const choice of chosen) {
      const actions = states.flatMap((state) => state.actions());
      await actions[choice % actions.length]?.();
      expect(states.every((state) => state.isIntact())).toBe(true);
    }
  });
  await fc.assert(property, { numRuns: 100 });
  expect.hasAssertions();
});

describe("the shared file", () => {
  const size = { bytes: 2 ** 40, controlBytes: 65_536, leastBytes: 131_072 };

  test.runIf(process.platform === "linux")(
    "control: lies in memory, and says nothing of it",
    () => {
      const { file, folder, note } = createSharedFile(size);
      files.push(file);
      expect({ folder, note }).toEqual({ folder: "/dev/shm", note: undefined });
      expect(fstatSync(file).size).toBe(size.bytes);
      expect(512 * fstatSync(file).blocks).toBeLessThan(2 * size.controlBytes);
    },
  );

  test("says where it lies when that is not the first choice, and why", () => {
    const { file, note } = createSharedFile(size, ["/nonexistent", tmpdir()]);
    files.push(file);
    expect(note).toMatch(
      /^ranks share memory through a file in \S+: at least 131072 bytes are needed/,
    );
    expect(note).toContain("ENOENT");
  });

  test("is refused with what is needed and what is free", () => {
    const create = () => createSharedFile({ ...size, leastBytes: 2 ** 52 }, ["/"]);
    expect(create).toThrow(EnvironmentError);
    expect(create).toThrow(/need at least 4503599627370496 bytes .*: \/ has \d+ bytes free/);
  });
});

test("a tensor-parallel model of 32 layers needs room for one message per rank and size", () => {
  const bytes = 64 * mebibyte;
  const mailboxes = Array.from({ length: 64 }, (_, channel) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((source) => ({
      channel,
      source,
      readers: [0, 1, 2, 3, 4, 5, 6, 7].filter((reader) => reader !== source),
      bytes,
    })),
  ).flat();
  const layout = layoutSharedMemory(8, mailboxes);
  expect(layout.leastBytes).toBeLessThan(8 * bytes + mebibyte);
});
