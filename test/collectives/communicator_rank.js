// One rank of the communicator suite, in a process of its own: posts and reads what the scenario says and
// tells its parent how many messages were right. Runs the compiled program, as rank processes do.

import { createRelayCommunicator } from "../../dist/collectives/relay_communicator.js";
import { openSharedMemoryCommunicator } from "../../dist/collectives/shared_memory_communicator.js";

/** Every byte depends on whose it is, which message it is of, and its place. */
const byteOf = ({ channel, source }, round, i) =>
  (channel * 31 + source * 57 + round * 13 + i) & 255;

let relayed;

async function play({ rank, ranks, mailboxes, rounds, shared, waiting, jitter }) {
  const send = (message) => process.send(message);
  const communicator = shared
    ? openSharedMemoryCommunicator({ file: 4, rank, ranks, mailboxes, waiting })
    : (relayed = createRelayCommunicator({ rank, ranks, mailboxes, send }));
  await communicator.barrier();
  let right = 0;
  for (let round = 0; round < rounds; round++) {
    const readersOf = (mailbox) =>
      mailbox.readers.filter((reader) => mailbox.alternate !== true || (reader + round) % 3 > 0);
    for (const mailbox of mailboxes.filter(({ source }) => source === rank)) {
      const bytes = mailbox.sizes[round % mailbox.sizes.length];
      const message = await communicator.reserve(mailbox.channel, bytes);
      for (let i = 0; i < bytes; i++) message.bytes[i] = byteOf(mailbox, round, i);
      message.post(readersOf(mailbox));
    }
    if (jitter) await new Promise((resolve) => setTimeout(resolve, (rank * 7 + round * 3) % 5));
    for (const mailbox of mailboxes.filter((one) => readersOf(one).includes(rank))) {
      const received = await communicator.receive(mailbox.channel, mailbox.source);
      const { bytes } = received;
      const isRight =
        bytes.length === mailbox.sizes[round % mailbox.sizes.length] &&
        bytes.every((byte, i) => byte === byteOf(mailbox, round, i));
      if (isRight) right += 1;
      received.release();
    }
    if (round % 10 === 0) await communicator.barrier();
  }
  await communicator.barrier();
  process.send({ kind: "done", rank, right });
}

process.on("message", (message) => {
  if (message.kind === "play") void play(message);
  else if (message.kind === "end") process.exit(0);
  else relayed.deliver(message);
});
process.on("disconnect", () => process.exit(1));
