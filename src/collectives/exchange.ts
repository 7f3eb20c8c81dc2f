// The one way in which pieces go from GPUs to GPUs. What stays on a rank is a copy on its GPU.

import type { StorageType } from "../kernels/storage.ts";
import { pieceSegments, chunksOf, type Exchange } from "../program/exchange/chunks.ts";
import { createMilestones } from "./milestones.ts";
import { sendChunks } from "./send.ts";
import type { Parts } from "./parts.ts";
import { copyLocally, type Destination, writeReceived } from "./write_received.ts";

export interface ExchangeRun {
  readonly exchange: Exchange;
  readonly lane: number;
  readonly dtype: StorageType;
  readonly send: string | undefined;
  readonly receive: string | undefined;
  /** As of a collective. */
  readonly through?: string | undefined;
  /** Resolves when chunk k may leave. */
  readonly ready?: (k: number) => Promise<void>;
}

type Receiving = Omit<ExchangeRun, "send" | "ready">;

export async function runExchange(parts: Parts, run: ExchangeRun): Promise<void> {
  const { exchange, lane, send, receive, ready } = run;
  const { name, from, to } = exchange;
  const i = from.indexOf(parts.rank);
  const j = to.indexOf(parts.rank);
  const chunks = i < 0 ? [] : chunksOf(exchange, i);
  const staged = createMilestones();
  if (i >= 0 && j >= 0) copyOwn(parts, run, i, j);
  const sending = sendChunks(parts, {
    name,
    lane,
    send,
    chunks,
    onStaged: staged.pass,
    ...(ready === undefined ? {} : { ready }),
  });
  // In place, pieces of others may belong where pieces for others still lie.
  const overwrites = !exchange.same && send !== undefined && send === receive;
  const receiving = async (): Promise<void> => {
    if (overwrites) await staged.reached(chunks.length);
    await receiveAll(parts, run);
  };
  await Promise.all([sending, j < 0 ? undefined : receiving()]);
}

function copyOwn(parts: Parts, run: ExchangeRun, i: number, j: number): void {
  const destination = destinationOf(parts, run);
  const source = run.send === undefined ? undefined : parts.region(run.send);
  if (source === undefined) {
    throw new Error(`${destination.name}: rank ${parts.rank} takes part without a send buffer`);
  }
  const through = run.through === undefined ? undefined : parts.region(run.through);
  for (const piece of run.exchange.pieces(i, j)) {
    for (const block of pieceSegments(piece)) {
      copyLocally(parts, destination, source, block, through);
    }
  }
}

/** Sources one beside the other, for some come later than others. */
export async function receiveAll(parts: Parts, run: Receiving): Promise<void> {
  const { communicator, rank } = parts;
  const { exchange, lane } = run;
  // Kernels of this batch may still read what is about to be overwritten.
  parts.submit();
  await Promise.all(
    exchange.from.map(async (source, i) => {
      if (source === rank) return;
      for (const { segments } of chunksOf(exchange, i)) {
        const own = segments.filter(({ readers }) => readers.includes(rank));
        if (own.length === 0) continue;
        const destination = destinationOf(parts, run);
        const written = own.reduce((sum, { words }) => sum + words, 0);
        const { bytes, release } = await communicator.receive(lane, source, written);
        await parts.roomFor(written);
        for (const segment of own) writeReceived(parts, destination, segment, bytes);
        parts.uploads.wrote(written);
        release();
      }
    }),
  );
}

function destinationOf(parts: Parts, { exchange, dtype, receive }: Receiving): Destination {
  const { name } = exchange;
  if (receive === undefined) {
    throw new Error(`${name}: rank ${parts.rank} takes part without a receive buffer`);
  }
  return { name, dtype, target: parts.region(receive) };
}
