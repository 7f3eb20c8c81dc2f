import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import type { Communicator } from "../../../src/collectives/transport/communicator.ts";
import { emulateLinks, stamped } from "../../../src/collectives/transport/emulated_links.ts";
import { hostMs } from "../../../src/gpu/timestamps.ts";
import type { SimulatedLink } from "../../../src/program/simulate/link_cost.ts";
import { openTransport } from "./open_transport.ts";

/** Ranks of one process, each able to send `depth` messages of up to 1,000 bytes to all others. */
function ranksOver(ranks: number, link: SimulatedLink, depth = 2): Communicator[] {
  const mailboxes = stamped(
    Array.from({ length: ranks }, (_, source) => ({
      channel: 0,
      source,
      readers: Array.from({ length: ranks }, (__, reader) => reader).filter((r) => r !== source),
      bytes: 1000,
      depth,
    })),
  );
  const { sides } = openTransport("relay", ranks, mailboxes);
  return sides.map(({ communicator }) => emulateLinks(communicator, link));
}

async function give(from: Communicator | undefined, bytes: number, value: number): Promise<void> {
  const message = await from!.reserve(0, bytes);
  expect(message.bytes).toHaveLength(bytes);
  message.bytes.fill(value);
  message.post([0]);
}

test("a message is whole, and there no sooner than its link would bring it", async () => {
  const [to, from] = ranksOver(2, { latencyMs: 5, bandwidth: 50_000 });
  const begin = hostMs();
  await give(from, 1000, 7);
  const { bytes, release } = await to!.receive(0, 1);
  // 5 ms of latency and 20 for the bytes.
  expect(hostMs() - begin).toBeGreaterThanOrEqual(25);
  expect([...bytes]).toEqual(Array.from({ length: 1000 }, () => 7));
  release();
});

test("messages of several ranks come in one after the other", async () => {
  const [to, ...others] = ranksOver(3, { latencyMs: 0, bandwidth: 50_000 });
  const begin = hostMs();
  await give(others[0], 1000, 1);
  await give(others[1], 1000, 2);
  const received = await Promise.all([to!.receive(0, 1), to!.receive(0, 2)]);
  expect(hostMs() - begin).toBeGreaterThanOrEqual(40);
  expect(received.map(({ bytes }) => bytes[0])).toEqual([1, 2]);
});

test("of a message for several readers, each takes in its own part", async () => {
  const [to, from] = ranksOver(2, { latencyMs: 0, bandwidth: 1 });
  await give(from, 1000, 4);
  const begin = hostMs();
  // The whole would take 1,000 s.
  expect((await to!.receive(0, 1, 0)).bytes).toHaveLength(1000);
  expect(hostMs() - begin).toBeLessThan(100_000);
});

test("a message that came while the link was free is not delayed by one that was asked for first", async () => {
  const [to, ...others] = ranksOver(3, { latencyMs: 0, bandwidth: 10 });
  await give(others[1], 1, 2);
  await setTimeout(150);
  await give(others[0], 10, 1);
  const order: (number | undefined)[] = [];
  const take = async (source: number): Promise<void> => {
    order.push((await to!.receive(0, source)).bytes[0]);
  };
  // The bytes of the first take a second.
  await Promise.all([take(1), take(2)]);
  expect(order).toEqual([2, 1]);
});

test("an empty message is one", async () => {
  const [to, from] = ranksOver(2, { latencyMs: 1 });
  await give(from, 0, 0);
  await give(from, 1000, 3);
  expect((await to!.receive(0, 1)).bytes).toHaveLength(0);
  expect((await to!.receive(0, 1)).bytes[999]).toBe(3);
});
