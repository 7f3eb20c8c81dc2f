import { expect, test } from "vitest";
import type { Communicator } from "../../src/collectives/transport/communicator.ts";
import { hostMs } from "../../src/gpu/timestamps.ts";
import type { Pause } from "../../src/program/simulate/cost.ts";
import { createReplayMemory, recordMessages, replayMessages } from "../../src/runtime/replay.ts";
import { latencyOf } from "../../src/runtime/signals.ts";

async function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Messages 1, 2, … of each source, `lateMs` after they are asked for; posting takes `postingMs`. */
function communicatorOf(rank: number, lateMs: number, postingMs = 0): Communicator {
  const counts = new Map<number, number>();
  const message = (bytes: number) => ({
    bytes: new Uint8Array(bytes),
    post() {
      const end = hostMs() + postingMs;
      while (hostMs() < end);
    },
  });
  return {
    rank,
    ranks: 2,
    nowMs: hostMs,
    reserve: async (_, bytes) => message(bytes),
    tryReserve: (_, bytes) => message(bytes),
    room: async () => true,
    async receive(_, source) {
      await sleep(lateMs);
      const count = (counts.get(source) ?? 0) + 1;
      counts.set(source, count);
      return { bytes: Uint8Array.of(10 * source + count), release() {} };
    },
    pause: async (ms) => (ms > 0 ? sleep(ms) : undefined),
    meanwhile: async (work) => work,
    async barrier() {},
    close() {},
  };
}

test("what came in one step comes again, in the order of each source", async () => {
  const { communicator, ...recording } = recordMessages(communicatorOf(0, 0));
  for (const source of [1, 2, 1]) await communicator.receive(5, source);
  const replay = replayMessages(communicatorOf(0, 0), recording, createReplayMemory(), () => {});
  const seen: number[] = [];
  for (const source of [2, 1, 1]) seen.push((await replay.receive(5, source)).bytes[0] ?? 0);
  expect(seen).toEqual([21, 11, 12]);
  await expect(replay.receive(5, 2)).rejects.toThrow("no message on channel 5 of 2");
});

test("the rank sleeps where it waited, says so, and no longer than it takes to cool down", async () => {
  const { communicator, ...recording } = recordMessages(communicatorOf(0, 30));
  await communicator.receive(0, 1);
  const pauses: Pause[] = [];
  const onPause = (pause: Pause): unknown => pauses.push(pause);
  const asked: number[] = [];
  const own = communicatorOf(0, 0);
  const noting = { ...own, pause: async (ms: number) => void asked.push(ms) };
  await replayMessages(noting, recording, createReplayMemory(), onPause).receive(0, 1);
  expect(asked).toEqual([2]);
  expect(pauses).toHaveLength(1);
  expect(pauses[0]!.endMs).toBeGreaterThanOrEqual(pauses[0]!.startMs);
});

test.each([
  [0.01, 0],
  [1, 1],
])("a message that came after %d ms is waited for %i times", async (waitedMs, pauses) => {
  const times = { askedMs: 5, gotMs: 5 + waitedMs };
  const messages = new Map([["0 1 0", [{ bytes: Uint8Array.of(1), times }]]]);
  const asked: number[] = [];
  const noting = { ...communicatorOf(0, 0), pause: async (ms: number) => void asked.push(ms) };
  const recording = { messages, postingMs: [] };
  await replayMessages(noting, recording, createReplayMemory(), () => {}).receive(0, 1);
  expect(asked).toHaveLength(pauses);
});

test("posting takes what it took, though nobody is woken", async () => {
  const { communicator, ...recording } = recordMessages(communicatorOf(0, 0, 3));
  for (let i = 0; i < 3; i++) communicator.tryReserve(0, 4)?.post([1]);
  const replay = replayMessages(communicatorOf(0, 0), recording, createReplayMemory(), () => {});
  const begin = hostMs();
  (await replay.reserve(0, 4)).post([1]);
  expect(hostMs() - begin).toBeGreaterThanOrEqual(3);
});

test("memory that a message went into is taken again for the next on its channel", async () => {
  const scratch = createReplayMemory();
  const first = scratch(1, 100);
  const beside = scratch(1, 100);
  expect(beside.memory.buffer).not.toBe(first.memory.buffer);
  first.giveBack();
  expect(scratch(1, 50).memory.buffer).toBe(first.memory.buffer);
  expect(scratch(2, 50).memory.buffer).not.toBe(first.memory.buffer);
});

test("a message is late by what passes after it was posted, if somebody waited for it", async () => {
  const received = (askedMs: number, gotMs: number) => ({ askedMs, gotMs });
  const giver = {
    // To two readers, who need not get the same messages.
    posted: new Map([
      ["0 0 1", [10, 20]],
      ["0 0 2", [20]],
    ]),
    received: new Map(),
  };
  const first = {
    posted: new Map(),
    received: new Map([["0 0 1", [received(5, 13), received(25, 26)]]]),
  };
  const second = { posted: new Map(), received: new Map([["0 0 2", [received(1, 24)]]]) };
  expect(latencyOf([giver, first])).toBe(3);
  expect(latencyOf([giver, first, second])).toBe(4);
  expect(latencyOf([giver])).toBe(0);
});

test("control: signals of a step have all that was posted and taken", async () => {
  const { communicator, signals } = recordMessages(communicatorOf(1, 4));
  communicator.tryReserve(3, 4)?.post([0, 2]);
  await communicator.receive(3, 0);
  const { posted, received } = signals();
  expect([...posted.keys()]).toEqual(["3 1 0", "3 1 2"]);
  const [times] = received.get("3 0 1") ?? [];
  expect(times!.gotMs - times!.askedMs).toBeGreaterThanOrEqual(3);
});
