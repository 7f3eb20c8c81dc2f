// What every transport of the table guarantees to collectives, as `communicator.ts` says.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Communicator, MailboxPlan } from "../../../src/collectives/transport/communicator.ts";
import { noteWords } from "../../../src/collectives/transport/transport.ts";
import {
  type TransportName,
  transportNames,
  transports,
} from "../../../src/collectives/transport/transports.ts";
import { defaultWaiting, type Waiting } from "../../../src/collectives/transport/waiting.ts";
import { openTransport } from "./open_transport.ts";

interface Mailbox extends MailboxPlan {
  readonly sizes: readonly number[];
  /** Not every reader gets every message. */
  readonly alternate?: boolean;
}

interface Scenario {
  readonly ranks: number;
  readonly rounds: number;
  readonly mailboxes: readonly Mailbox[];
  readonly jitter?: boolean;
  readonly waiting?: Waiting;
}

interface Played {
  readonly rank: number;
  /** How many messages the rank read and found right. */
  readonly right: number;
  readonly barriers: readonly { readonly beforeMs: number; readonly afterMs: number }[];
}

type FromChild =
  | { readonly kind: "transport"; readonly message: unknown }
  | ({ readonly kind: "done" } & Played);

const program = fileURLToPath(new URL("conformance_rank.js", import.meta.url));

function all(ranks: number): number[] {
  return Array.from({ length: ranks }, (_, rank) => rank);
}

function mailbox(
  channel: number,
  source: number,
  readers: readonly number[],
  sizes: readonly number[],
): Mailbox {
  return { channel, source, readers, sizes, bytes: Math.max(...sizes) };
}

/** Every rank of the group sends to all the others. */
function everybody(channel: number, group: readonly number[], sizes: readonly number[]): Mailbox[] {
  return group.map((source) =>
    mailbox(
      channel,
      source,
      group.filter((rank) => rank !== source),
      sizes,
    ),
  );
}

/** Each rank in a process of its own, in their order. */
async function play(scenario: Scenario, transport: TransportName): Promise<Played[]> {
  const { ranks, mailboxes } = scenario;
  const children: ChildProcess[] = [];
  const coordinator = transports[transport].coordinate({
    ranks,
    mailboxes,
    tell: (rank, message) => children[rank]?.send({ kind: "transport", message }),
  });
  const { file } = coordinator;
  for (let rank = 0; rank < ranks; rank++) {
    children.push(
      fork(program, [], {
        execArgv: [],
        serialization: "advanced",
        stdio: ["ignore", "inherit", "inherit", "ipc", ...(file === undefined ? [] : [file])],
      }),
    );
  }
  try {
    return await Promise.all(
      children.map(
        async (child, rank) =>
          new Promise<Played>((resolve, reject) => {
            child.on("exit", (code) => reject(new Error(`rank ${rank} exited with ${code}`)));
            child.on("message", (message: FromChild) => {
              if (message.kind === "done") return resolve(message);
              return coordinator.hear(message.message);
            });
            child.send({ kind: "play", transport, rank, waiting: defaultWaiting, ...scenario });
          }),
      ),
    );
  } finally {
    await Promise.all(
      children.map(async (child) => {
        child.removeAllListeners("exit");
        const exited = child.exitCode === null ? once(child, "exit") : undefined;
        child.kill("SIGKILL");
        await exited;
      }),
    );
    coordinator.close();
  }
}

function rightIn(played: readonly Played[]): number[] {
  return played.map(({ right }) => right);
}

/** What `play` must count. */
function wanted({ ranks, rounds, mailboxes }: Scenario): number[] {
  return all(ranks).map(
    (rank) =>
      all(rounds).flatMap((round) =>
        mailboxes.filter(
          ({ readers, alternate }) =>
            readers.includes(rank) && (alternate !== true || (rank + round) % 3 > 0),
        ),
      ).length,
  );
}

const sizes = [0, 1, 4, 13, 4096, 65_537];

for (const transport of transportNames) {
  describe.skipIf(!transports[transport].isAvailable())(
    `ranks in processes, over ${transport}`,
    () => {
      test.each([1, 2, 3, 4])(
        "%i ranks get every message of the others, in order and whole",
        async (ranks) => {
          const scenario = { ranks, rounds: 60, mailboxes: everybody(0, all(ranks), sizes) };
          expect(rightIn(await play(scenario, transport))).toEqual(wanted(scenario));
        },
      );

      test("overlapping groups on channels of their own do not disturb each other", async () => {
        const mailboxes = [
          ...everybody(0, [0, 1], [8, 24]),
          ...everybody(1, [1, 2], [3]),
          ...everybody(2, [0, 1, 2, 3], [100, 0]),
          mailbox(5, 3, [1], [7, 70]),
        ];
        const scenario = { ranks: 4, rounds: 100, mailboxes, jitter: true };
        expect(rightIn(await play(scenario, transport))).toEqual(wanted(scenario));
      });

      test("a message that only some readers are sent leaves the others where they were", async () => {
        const mailboxes = everybody(0, [0, 1, 2], [5, 50]).map((one) => ({
          ...one,
          alternate: true,
        }));
        const scenario = { ranks: 3, rounds: 90, mailboxes };
        expect(rightIn(await play(scenario, transport))).toEqual(wanted(scenario));
      });

      test("a large message arrives whole", async () => {
        const scenario = { ranks: 2, rounds: 3, mailboxes: everybody(0, [0, 1], [9_000_001, 12]) };
        expect(rightIn(await play(scenario, transport))).toEqual(wanted(scenario));
      });

      test.each<Waiting>([
        { spinUs: 0, blockUs: 0, naps: false, sliceMs: 1 },
        { spinUs: 200, blockUs: 0, naps: false, sliceMs: 100 },
        { spinUs: 0, blockUs: 100, naps: true, sliceMs: 2 },
      ])("no message is lost however ranks wait: %j", async (waiting) => {
        const scenario = {
          ranks: 3,
          rounds: 100,
          mailboxes: everybody(0, [0, 1, 2], [64]),
          jitter: true,
          waiting,
        };
        expect(rightIn(await play(scenario, transport))).toEqual(wanted(scenario));
      });

      test("all have one clock: nobody leaves a barrier before the last has come to it", async () => {
        const mailboxes = everybody(0, [0, 1, 2], [64]);
        const played = await play({ ranks: 3, rounds: 100, mailboxes, jitter: true }, transport);
        const [first] = played;
        const gaps = (first?.barriers ?? []).map((_, k) => {
          const own = played.flatMap(({ barriers }) => barriers.slice(k, k + 1));
          const last = Math.max(...own.map(({ beforeMs }) => beforeMs));
          return Math.min(...own.map(({ afterMs }) => afterMs)) - last;
        });
        expect(gaps).toHaveLength(12);
        expect(Math.min(...gaps)).toBeGreaterThanOrEqual(0);
      });
    },
  );
}

for (const transport of transportNames) {
  describe.skipIf(!transports[transport].isAvailable())(
    `ranks in one process, over ${transport}`,
    () => {
      /** Rank 0 sends up to two messages of 8 bytes each to rank 1, on channels 0 and 1. */
      const open = (): [sender: Communicator, reader: Communicator] => {
        const mailboxes = [0, 1].map((channel) => ({
          channel,
          source: 0,
          readers: [1],
          bytes: 8,
          depth: 2,
        }));
        const { sides, close } = openTransport(transport, 2, mailboxes);
        onTestFinished(close);
        const [sender, reader] = sides.map(({ communicator }) => communicator);
        if (sender === undefined || reader === undefined) throw new Error("two ranks");
        return [sender, reader];
      };
      const post = async (sender: Communicator, channel = 0): Promise<void> =>
        (await sender.reserve(channel, 8)).post([1]);

      test("control: a message that fits is reserved and posted", async () => {
        const [sender] = open();
        const message = await sender.reserve(0, 8);
        expect(message.bytes).toHaveLength(8);
        message.post([1]);
      });

      test("a message larger than its mailbox is refused", async () => {
        const [sender] = open();
        await expect(sender.reserve(0, 9)).rejects.toThrow(
          "9 bytes for the mailbox of rank 0 on channel 0, which holds 8",
        );
      });

      test("a mailbox that the plan does not know is refused", async () => {
        const [sender] = open();
        await expect(sender.reserve(2, 8)).rejects.toThrow("no mailbox of rank 0 on channel 2");
      });

      test("a reader that the plan does not know is refused", async () => {
        const [sender] = open();
        const message = await sender.reserve(0, 8);
        expect(() => message.post([0])).toThrow("rank 0 reads no mailbox of rank 0 on channel 0");
      });

      test("a message is read as it was until its release, and makes room then", async () => {
        const [sender, reader] = open();
        const first = await sender.reserve(0, 8);
        first.bytes.fill(7);
        first.post([1]);
        const received = await reader.receive(0, 0);
        await post(sender);
        expect(sender.tryReserve(0, 8)).toBeUndefined();
        expect(await sender.room(0, 2, 5)).toBe(false);
        expect([...received.bytes]).toEqual(Array(8).fill(7));
        received.release();
        expect(await sender.room(0, 2, 10_000)).toBe(true);
        expect(sender.tryReserve(0, 8)?.bytes).toHaveLength(8);
      });

      test("a full mailbox keeps no other one back", async () => {
        const [sender, reader] = open();
        await post(sender);
        await post(sender);
        expect(sender.tryReserve(0, 8)).toBeUndefined();
        await post(sender, 1);
        expect((await reader.receive(1, 0)).bytes).toHaveLength(8);
      });

      test("no message is received before it was posted, on the clock of both", async () => {
        const [sender, reader] = open();
        const received = reader.receive(0, 0).then(() => reader.nowMs());
        const message = await sender.reserve(0, 8);
        const postedMs = sender.nowMs();
        message.post([1]);
        expect(await received).toBeGreaterThanOrEqual(postedMs);
      });

      test("a pause takes the time that it is asked for, on that clock", async () => {
        const [rank] = open();
        const beginMs = rank.nowMs();
        await rank.pause(20);
        expect(rank.nowMs() - beginMs).toBeGreaterThanOrEqual(20);
        await rank.pause(0);
        await rank.pause(-5);
      });

      test("what is awaited elsewhere settles as it would by itself", async () => {
        const [rank] = open();
        expect(await rank.meanwhile(Promise.resolve(3))).toBe(3);
        await expect(rank.meanwhile(Promise.reject(new Error("lost")))).rejects.toThrow("lost");
      });

      test("a rank that waits for a slow reader is set free by close", async () => {
        const [sender] = open();
        await post(sender);
        await post(sender);
        const waiting = sender.reserve(0, 8);
        sender.close();
        await expect(waiting).rejects.toThrow("closed while this rank waited");
      });

      test("a rank that waits for a message is set free by close", async () => {
        const [, reader] = open();
        const waiting = reader.receive(0, 0);
        reader.close();
        await expect(waiting).rejects.toThrow("closed while this rank waited");
      });

      test("notes of a rank, where it can keep any, are the coordinator's to read", () => {
        const { coordinator, sides, close } = openTransport(transport, 2, []);
        onTestFinished(close);
        for (const [rank, { notes }] of sides.entries()) notes?.fill(rank + 1);
        const kept = sides.map(({ notes }, rank) =>
          notes === undefined ? undefined : coordinator.notesOf?.(rank),
        );
        expect(kept).toEqual(
          sides.map(({ notes }, rank) => notes && new Int32Array(noteWords).fill(rank + 1)),
        );
      });
    },
  );
}
