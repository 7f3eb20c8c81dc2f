// The seam between ranks: what collectives rely on, and every transport guarantees. A collective does not know
// whether bytes move through shared memory, between processes by messages, or between machines.
//
// - Messages of a mailbox reach each of their readers once, whole, and in the order of posting.
// - No mailbox waits for another: whoever is slow to release keeps only the messages of that mailbox back.
// - All ranks have one clock: what `nowMs` was on the rank that posted a message, or that came to a barrier, is never
//   later than what it is on a rank that has received the message, or has left the barrier. Processes of one machine
//   read the same clock; a transport between machines adds to each one's what it is behind.

/** Memory for one message, between `reserve` and `post`. */
export interface OutgoingMessage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Publishes what was written; every one of `readers` must release it once. */
  readonly post: (readers: readonly number[]) => void;
}

/** A message that has come. */
export interface ReceivedMessage {
  /** Valid until `release`. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly release: () => void;
}

/**
 * Mailboxes between ranks. A mailbox is (channel, source), and each of its readers gets the messages that
 * were posted to it in the order of posting. Any number of collectives may use it at the same time.
 */
export interface Communicator {
  readonly rank: number;
  readonly ranks: number;
  /** ms on the clock that all ranks share, of an arbitrary beginning; those of one machine are `hostMs`. */
  readonly nowMs: () => number;
  /**
   * Waits until fewer messages than the mailbox holds are unreleased.
   *
   * @throws RangeError for more bytes than the mailbox takes
   */
  reserve(channel: number, bytes: number): Promise<OutgoingMessage>;
  /** Undefined where it would have to wait. */
  tryReserve(channel: number, bytes: number): OutgoingMessage | undefined;
  /**
   * Waits until fewer than `messages` of this rank's on the channel are unreleased, but no longer than
   * `graceMs`. Resolves with whether it is so.
   */
  room(channel: number, messages: number, graceMs: number): Promise<boolean>;
  /**
   * Waits for the next message of `source` on `channel`.
   *
   * @param ownBytes of the message, for this reader; default: all
   */
  receive(channel: number, source: number, ownBytes?: number): Promise<ReceivedMessage>;
  /** Resolves when that much time has passed; at once where `ms` is not above 0. */
  pause(ms: number): Promise<void>;
  /** Awaits something else. Until it settles, those who wait for ranks put this thread to sleep for a nap at most. */
  meanwhile<Result>(work: Promise<Result>): Promise<Result>;
  /** All ranks. */
  barrier(): Promise<void>;
  /** Rejects whatever waits for other ranks. */
  close(): void;
}

/** What each (channel, source) will carry; known before the ranks start. */
export interface MailboxPlan {
  readonly channel: number;
  readonly source: number;
  readonly readers: readonly number[];
  /** Of the largest message. */
  readonly bytes: number;
  /** Messages that may be unreleased. Default: 1. */
  readonly depth?: number;
}

export function depthOf({ depth = 1 }: MailboxPlan): number {
  return depth;
}

type MailboxKey = Pick<MailboxPlan, "channel" | "source">;

export function describeMailbox({ channel, source }: MailboxKey): string {
  return `mailbox of rank ${source} on channel ${channel}`;
}

/** Place of a reader among those of the mailbox. */
export function readerAt(plan: MailboxPlan, reader: number): number {
  const at = plan.readers.indexOf(reader);
  if (at < 0) throw new Error(`rank ${reader} reads no ${describeMailbox(plan)}`);
  return at;
}

export function refuseTooLong(plan: MailboxPlan, bytes: number): void {
  if (bytes <= plan.bytes) return;
  const mailbox = describeMailbox(plan);
  throw new RangeError(`${bytes} bytes for the ${mailbox}, which holds ${plan.bytes}`);
}
