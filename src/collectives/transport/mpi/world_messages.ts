// What processes of a job tell each other before their ranks serve: blocking, and short.

import { memory, type MpiLibrary, type MpiRequest } from "./library.ts";

export interface ClockOffset {
  /** To be added to this process's `hostMs`: that gives the clock of rank 0. */
  readonly clockOffsetMs: number;
  /** The offset is right within that; zero on rank 0's host. */
  readonly clockUncertaintyMs: number;
}

export interface MpiWorld extends ClockOffset {
  readonly mpi: MpiLibrary;
  readonly rank: number;
  readonly size: number;
  /** Ranks of this host that share memory, ascending, this one among them. */
  readonly neighbours: readonly number[];
  /** Process of the first of them. */
  readonly firstPid: number;
}

/** Below those of mailboxes. */
export const tags = {
  ping: 0,
  pong: 1,
  broadcast: 2,
  barrier: 3,
  gather: 4,
  file: 5,
  first: 6,
} as const;

/** Room for what each of thousands of ranks says of itself. */
const broadcastBytes = 1 << 22;
const gatherBytes = 4096;

/** Blocks until the request has ended; only before ranks serve, and after. */
export function finish(request: MpiRequest): void {
  while (!request.isDone());
}

type Process = Pick<MpiWorld, "mpi" | "rank" | "size">;

/** The text of rank 0, on all. */
export function broadcast({ mpi, rank, size }: Process, text: string): string {
  if (rank > 0) return hear(mpi, 0, tags.broadcast, broadcastBytes);
  const bytes = encoded(text);
  const sent = Array.from({ length: size - 1 }, (_, i) => mpi.send(bytes, i + 1, tags.broadcast));
  for (const request of sent) finish(request);
  return text;
}

/** What each rank gave, by rank, on all. @param own becomes JSON */
export function allGather(
  mpi: MpiLibrary,
  rank: number,
  size: number,
  own: unknown,
): readonly unknown[] {
  const text = JSON.stringify(own);
  if (rank > 0) finish(mpi.send(encoded(text), 0, tags.gather));
  const heard = rank > 0 ? [] : [text, ...ranksAfter(mpi, size)];
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- rank 0 runs the same version
  return JSON.parse(broadcast({ mpi, rank, size }, `[${heard.join()}]`)) as readonly unknown[];
}

function ranksAfter(mpi: MpiLibrary, size: number): string[] {
  return Array.from({ length: size - 1 }, (_, i) => hear(mpi, i + 1, tags.gather, gatherBytes));
}

function hear(mpi: MpiLibrary, from: number, tag: number, mostBytes: number): string {
  const into = memory(mostBytes);
  const request = mpi.receive(into, from, tag);
  finish(request);
  return new TextDecoder().decode(into.subarray(0, request.byteLength()));
}

export function encoded(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  const own = memory(bytes.length);
  own.set(bytes);
  return own;
}
