// The seam between ranks. A collective is written against this and does not know whether bytes move
// through shared memory, between processes by messages, or between machines.

/**
 * Mailboxes between ranks. A mailbox is (channel, source); its owner posts one message at a time, and may
 * post the next when every reader has released the last. Messages on one mailbox arrive in order.
 */
export interface Communicator {
  readonly rank: number;
  readonly ranks: number;
  /**
   * Waits until the readers of the previous message on this channel have released it, then returns memory
   * to write `bytes` bytes into. Ends with `post`. One `reserve` at a time per channel.
   */
  reserve(channel: number, bytes: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Publishes what was written since `reserve`; every one of `readers` must `release` it once. */
  post(channel: number, readers: readonly number[]): void;
  /** Waits for the next message of `source` on `channel`. The view is valid until `release`. */
  receive(channel: number, source: number): Promise<Uint8Array<ArrayBuffer>>;
  release(channel: number, source: number): void;
  /** All ranks. */
  barrier(): Promise<void>;
  close(): void;
}

/** Largest message that each (channel, source) will carry, in bytes; known before the ranks start. */
export interface MailboxPlan {
  readonly channel: number;
  readonly source: number;
  readonly readers: readonly number[];
  readonly bytes: number;
}
