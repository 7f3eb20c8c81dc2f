import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import type { MailboxPlan } from "../../src/collectives/communicator.ts";
import { createRelay, type RelayMessage } from "../../src/collectives/relay.ts";
import { createRelayCommunicator } from "../../src/collectives/relay_communicator.ts";
import { layoutSharedMemory } from "../../src/collectives/shared_layout.ts";
import { createSharedFile } from "../../src/collectives/shared_memory.ts";
import { openSharedMemoryCommunicator } from "../../src/collectives/shared_memory_communicator.ts";
import { defaultWaiting, type Waiting } from "../../src/collectives/waiting.ts";

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

type FromChild =
  | RelayMessage
  | { readonly kind: "done"; readonly rank: number; readonly right: number };

const program = fileURLToPath(new URL("communicator_rank.js", import.meta.url));

const all = (ranks: number): number[] => Array.from({ length: ranks }, (_, rank) => rank);

const mailbox = (
  channel: number,
  source: number,
  readers: readonly number[],
  sizes: readonly number[],
): Mailbox => ({ channel, source, readers, sizes, bytes: Math.max(...sizes) });

/** Every rank of the group sends to all the others. */
const everybody = (
  channel: number,
  group: readonly number[],
  sizes: readonly number[],
): Mailbox[] =>
  group.map((source) =>
    mailbox(
      channel,
      source,
      group.filter((rank) => rank !== source),
      sizes,
    ),
  );

/** How many messages each rank read and found right. */
async function play(scenario: Scenario, shared: boolean): Promise<number[]> {
  const { ranks, mailboxes } = scenario;
  const file = shared ? createSharedFile(layoutSharedMemory(ranks, mailboxes)).file : undefined;
  const children = all(ranks).map((): ChildProcess =>
    fork(program, [], {
      execArgv: [],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc", ...(file === undefined ? [] : [file])],
    }),
  );
  const relay = createRelay(ranks, (rank, message) => children[rank]?.send(message));
  const right = all(ranks).map(() => -1);
  try {
    await Promise.all(
      children.map(
        async (child, rank) =>
          new Promise<void>((resolve, reject) => {
            child.on("exit", (code) => reject(new Error(`rank ${rank} exited with ${code}`)));
            child.on("message", (message: FromChild) => {
              if (message.kind !== "done") return relay(message);
              right[message.rank] = message.right;
              return resolve();
            });
            child.send({ kind: "play", rank, shared, ...scenario });
          }),
      ),
    );
    return right;
  } finally {
    await Promise.all(
      children.map(async (child) => {
        child.removeAllListeners("exit");
        const exited = child.exitCode === null ? once(child, "exit") : undefined;
        child.kill("SIGKILL");
        await exited;
      }),
    );
    if (file !== undefined) closeSync(file);
  }
}

/** What `play` must count. */
const wanted = ({ ranks, rounds, mailboxes }: Scenario): number[] =>
  all(ranks).map(
    (rank) =>
      all(rounds).flatMap((round) =>
        mailboxes.filter(
          ({ readers, alternate }) =>
            readers.includes(rank) && (alternate !== true || (rank + round) % 3 > 0),
        ),
      ).length,
  );

const sizes = [0, 1, 4, 13, 4096, 65_537];

describe.each([
  { transport: "shared memory", shared: true },
  { transport: "the relay", shared: false },
])("ranks in processes, over $transport", ({ shared }) => {
  test.each([1, 2, 3, 4])(
    "%i ranks get every message of the others, in order and whole",
    async (ranks) => {
      const scenario = { ranks, rounds: 60, mailboxes: everybody(0, all(ranks), sizes) };
      expect(await play(scenario, shared)).toEqual(wanted(scenario));
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
    expect(await play(scenario, shared)).toEqual(wanted(scenario));
  });

  test("a message that only some readers are sent leaves the others where they were", async () => {
    const mailboxes = everybody(0, [0, 1, 2], [5, 50]).map((one) => ({ ...one, alternate: true }));
    const scenario = { ranks: 3, rounds: 90, mailboxes };
    expect(await play(scenario, shared)).toEqual(wanted(scenario));
  });

  test("a large message arrives whole", async () => {
    const scenario = { ranks: 2, rounds: 3, mailboxes: everybody(0, [0, 1], [9_000_001, 12]) };
    expect(await play(scenario, shared)).toEqual(wanted(scenario));
  });
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
  expect(await play(scenario, true)).toEqual(wanted(scenario));
});

describe("misuse of shared memory", () => {
  const files: number[] = [];
  afterEach(() => {
    for (const file of files.splice(0)) closeSync(file);
  });

  const open = () => {
    const mailboxes = [mailbox(0, 0, [1], [8])];
    const { file } = createSharedFile(layoutSharedMemory(2, mailboxes));
    files.push(file);
    return openSharedMemoryCommunicator({
      file,
      rank: 0,
      ranks: 2,
      mailboxes,
      waiting: { ...defaultWaiting, sliceMs: 5 },
    });
  };

  test("control: a message that fits is reserved and posted", async () => {
    const communicator = open();
    const message = await communicator.reserve(0, 8);
    expect(message.bytes).toHaveLength(8);
    message.post([1]);
  });

  test("a message larger than its mailbox is refused", async () => {
    await expect(open().reserve(0, 9)).rejects.toThrow(
      "9 bytes for the mailbox of rank 0 on channel 0, which holds 8",
    );
  });

  test("a reader that the plan does not know is refused", async () => {
    const communicator = open();
    const message = await communicator.reserve(0, 8);
    expect(() => message.post([0])).toThrow("rank 0 reads no mailbox of rank 0 on channel 0");
  });

  test("a rank that waits for a slow reader is set free by close", async () => {
    const communicator = open();
    (await communicator.reserve(0, 8)).post([1]);
    const waiting = communicator.reserve(0, 8);
    communicator.close();
    await expect(waiting).rejects.toThrow("closed while this rank waited");
  });
});

test("a relayed rank that waits is set free by close", async () => {
  const communicator = createRelayCommunicator({
    rank: 0,
    ranks: 2,
    mailboxes: [],
    send: () => {},
  });
  const waiting = communicator.receive(0, 1);
  communicator.close();
  await expect(waiting).rejects.toThrow("closed while this rank waited");
});
