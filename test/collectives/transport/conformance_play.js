// What one rank of the conformance tests does: posts and reads what the scenario says, and counts the messages that were
// right; with its clock before and after every barrier. Runs the compiled program, as rank processes do.

/** Every byte depends on whose it is, which message it is of, and its place. */
const byteOf = ({ channel, source }, round, i) =>
  (channel * 31 + source * 57 + round * 13 + i) & 255;

export async function play({ communicator }, { rank, mailboxes, rounds, jitter }) {
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
  return { rank, right, barriers };
}
