// A way for messages between rank processes: one folder, whose `transport.ts` fulfils this, and one line in
// `transports.ts`. `communicator.ts` says what ranks rely on; the conformance tests try it on every transport of the
// table.
//
// A transport has two sides. The coordinator's is made before any rank starts and lives until all have ended; a rank's
// side is opened in its process. The two may tell each other messages over the processes' IPC channel.

import type { Communicator, MailboxPlan } from "./communicator.ts";
import type { Waiting } from "./waiting.ts";

export interface Transport {
  /** Whether this machine has what it needs. */
  isAvailable(): boolean;
  /** @throws EnvironmentError where the machine does not have room for it */
  coordinate(setup: CoordinatorSetup): CoordinatorSide;
  join(setup: RankSetup): RankSide;
}

export interface CoordinatorSetup {
  readonly ranks: number;
  readonly mailboxes: readonly MailboxPlan[];
  /** To the rank's side, in order. */
  readonly tell: (rank: number, message: unknown) => void;
}

export interface CoordinatorSide {
  /** Descriptor that rank processes inherit. */
  readonly file?: number;
  /** What a person should know of the circumstances, in sentences without a full stop. */
  readonly notes: readonly string[];
  /** Takes what a rank's side told. */
  hear(message: unknown): void;
  /** What the rank wrote last to `RankSide.notes`, also when it has died since. Absent: it can keep none. */
  readonly notesOf?: (rank: number) => Int32Array;
  /** To be called when all ranks have ended. */
  close(): void;
}

export interface RankSetup {
  readonly rank: number;
  readonly ranks: number;
  readonly mailboxes: readonly MailboxPlan[];
  readonly waiting: Waiting;
  /** Where the process inherits the coordinator side's file, if there is one. */
  readonly file: number;
  /** To the coordinator's side, in order. */
  readonly tell: (message: unknown) => void;
}

export interface RankSide {
  readonly communicator: Communicator;
  /** Takes what the coordinator's side told. */
  hear(message: unknown): void;
  /** `noteWords` words of this rank that outlive it. */
  readonly notes?: Int32Array;
}

export const noteWords = 4;
