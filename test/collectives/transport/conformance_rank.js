// One rank of the conformance tests, in a process of its own: posts and reads what the scenario says, then tells its
// parent how many messages were right, and its clock before and after every barrier. Runs the compiled program, as
// rank processes do.

import { transports } from "../../../dist/collectives/transport/transports.js";

/** Every byte depends on whose it is, which message it is of, and its place. */
const byteOf = ({ channel, source }, round, i) =>
  (channel * 31 + source * 57 + round * 13 + i) & 255;

let side;

async function play({ transport, rank, ranks, mailboxes, rounds, waiting, jitter }) {
  const tell = (message) => process.send({ kind: "transport", message });
  side = transports[transport].join({ rank, ranks, mailboxes, waiting, file: 4, tell });
  const { communicator } = side;
  const barriers = [];
  const barrier = async () => {
    const beforeMs = communicator.nowMs();
    await communicator.barrier();
    barriers.push({ beforeMs, afterMs: communicator.nowMs() });
  };
  await barrier();
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
      const { bytes, release } = await communicator.receive(mailbox.channel, mailbox.source);
      const isRight =
        bytes.length === mailbox.sizes[round % mailbox.sizes.length] &&
        bytes.every((byte, i) => byte === byteOf(mailbox, round, i));
      if (isRight) right += 1;
      release();
    }
    if (round % 10 === 0) await barrier();
  }
  await barrier();
  process.send({ kind: "done", rank, right, barriers });
}

process.on("message", (message) => {
  if (message.kind === "play") void play(message);
  else side.hear(message.message);
});
process.on("disconnect", () => process.exit(1));
