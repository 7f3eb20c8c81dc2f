// This process among all that the launcher started: who it is, and what its clock is behind.

import { hostname } from "node:os";
import { hostMs } from "../../../gpu/timestamps.ts";
import { launchedByMpi } from "./launcher.ts";
import { loadMpi, memory, type MpiLibrary, type MpiRequest } from "./library.ts";

export interface MpiWorld {
  readonly mpi: MpiLibrary;
  readonly rank: number;
  readonly size: number;
  /** To be added to this process's `hostMs`: that gives the clock of rank 0. */
  readonly clockOffsetMs: number;
  /** The offset is right within that; zero on rank 0's host. */
  readonly clockUncertaintyMs: number;
}

let world: MpiWorld | undefined;

/** Of the process that has joined. */
export function mpiWorld(): MpiWorld | undefined {
  return world;
}

/**
 * Joins the job. To be called once, by all its processes.
 *
 * @throws EnvironmentError where no launcher started this process, or its library is not found
 */
export function joinWorld(): MpiWorld {
  const launched = launchedByMpi(process.env);
  const mpi = loadMpi(launched?.library ?? "Open MPI");
  mpi.init();
  const rank = mpi.rank();
  const size = mpi.size();
  world = { mpi, rank, size, ...syncClocks(mpi, rank, size) };
  return world;
}

/** Blocks until the request has ended; only before ranks serve, and after. */
export function finish(request: MpiRequest): void {
  while (!request.isDone());
}

/** The bytes of rank 0, on all. */
export function broadcast({ mpi, rank, size }: MpiWorld, text: string): string {
  if (rank === 0) {
    const bytes = encoded(text);
    const sent = Array.from({ length: size - 1 }, (_, i) => mpi.send(bytes, i + 1, tags.broadcast));
    for (const request of sent) finish(request);
    return text;
  }
  const into = memory(broadcastBytes);
  const request = mpi.receive(into, 0, tags.broadcast);
  finish(request);
  return new TextDecoder().decode(into.subarray(0, request.byteLength()));
}

/** Below those of mailboxes. */
export const tags = { ping: 0, pong: 1, broadcast: 2, barrier: 3, first: 4 } as const;

const broadcastBytes = 4096;
const rounds = 64;

interface ClockOffset {
  readonly clockOffsetMs: number;
  readonly clockUncertaintyMs: number;
}

/** Each process asks rank 0 for the time, in turn; the answer that came back soonest counts. */
function syncClocks(mpi: MpiLibrary, rank: number, size: number): ClockOffset {
  const none = { clockOffsetMs: 0, clockUncertaintyMs: 0 };
  if (rank === 0) {
    for (let other = 1; other < size; other++) tellTime(mpi, other);
    return none;
  }
  let best: ClockOffset = { clockOffsetMs: 0, clockUncertaintyMs: Infinity };
  let host = "";
  for (let round = 0; round < rounds; round++) {
    const into = memory(answerBytes);
    const answer = mpi.receive(into, 0, tags.pong);
    const askedMs = hostMs();
    finish(mpi.send(memory(1), 0, tags.ping));
    finish(answer);
    const heardMs = hostMs();
    const theirMs = new DataView(into.buffer).getFloat64(0);
    host = new TextDecoder().decode(into.subarray(8, answer.byteLength()));
    const halfMs = (heardMs - askedMs) / 2;
    if (halfMs < best.clockUncertaintyMs) {
      best = { clockOffsetMs: theirMs - (askedMs + halfMs), clockUncertaintyMs: halfMs };
    }
  }
  // Processes of one machine read the same clock.
  return host === machine() ? none : best;
}

const answerBytes = 512;

function tellTime(mpi: MpiLibrary, other: number): void {
  const name = encoded(machine());
  for (let round = 0; round < rounds; round++) {
    finish(mpi.receive(memory(1), other, tags.ping));
    const answer = memory(8 + name.length);
    answer.set(name, 8);
    new DataView(answer.buffer).setFloat64(0, hostMs());
    finish(mpi.send(answer, other, tags.pong));
  }
}

/** Two containers of one machine have names of their own, and may have clocks of their own. */
function machine(): string {
  return hostname();
}

function encoded(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  const own = memory(bytes.length);
  own.set(bytes);
  return own;
}
